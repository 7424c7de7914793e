package io.broxy.core.internal.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.tls.TlsEngine.Step;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Payload;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the TLS handshake and record processing over byte buffers, without a socket. */
class TlsEngineTest {
    private static final String TLS13 = "TLSv1.3";
    private static final String TLS12 = "TLSv1.2";

    /** One side, and the ciphertext that it has made and that has not been passed on. */
    private static final class Side {
        final SSLEngine raw;
        final TlsEngine engine;
        final ArrayDeque<Byte> wire = new ArrayDeque<>();
        final ByteBuffer in = ByteBuffer.allocate(256 << 10).limit(0);
        final StringBuilder plaintext = new StringBuilder();
        final List<Step> steps = new ArrayList<>();
        boolean done;

        Side(SSLEngine raw) {
            this.raw = raw;
            this.engine = new TlsEngine(raw, false); // the peer's side may do what any server does
        }

        void feed(byte... bytes) {
            in.compact().put(bytes).flip();
        }

        /** Goes on with the handshake as far as it goes, with room for so many bytes. */
        void handshake(int room) throws SSLException {
            Step step;
            do {
                ByteBuffer out = ByteBuffer.allocate(room);
                step = engine.handshake(in, out);
                steps.add(step);
                emit(out);
                if (step == Step.TASK) {
                    engine.runTasks();
                }
            } while (step == Step.TASK || step == Step.ROOM);
            done = step == Step.DONE;
        }

        Step decrypt() throws SSLException {
            ByteBuffer out = ByteBuffer.allocate(128 << 10);
            Step step = engine.decrypt(in, out);
            plaintext.append(new String(out.array(), 0, out.position(), US_ASCII));
            return step;
        }

        Step encrypt(String text) throws SSLException {
            ByteBuffer out = ByteBuffer.allocate(256 << 10);
            Step step = engine.encrypt(ByteBuffer.wrap(text.getBytes(US_ASCII)), out);
            emit(out);
            return step;
        }

        Step encryptOwn() throws SSLException {
            return encrypt("");
        }

        private void emit(ByteBuffer out) {
            out.flip();
            while (out.hasRemaining()) {
                wire.add(out.get());
            }
        }

        byte[] takeWire() {
            byte[] all = new byte[wire.size()];
            for (int i = 0; i < all.length; i++) {
                all[i] = wire.remove();
            }
            return all;
        }
    }

    private final Side client = new Side(clientEngine(Certificates.loopback(), "localhost"));
    private final Side server = new Side(serverEngine());

    private static SSLEngine clientEngine(Certificates trusted, String peer) {
        SSLEngine engine = trusted.client().createSSLEngine(peer, 443);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        return engine;
    }

    private static SSLEngine serverEngine() {
        SSLEngine engine = Certificates.loopback().server().createSSLEngine();
        engine.setUseClientMode(false);
        return engine;
    }

    /** Both do their handshake; what goes over is cut into pieces of a size. */
    private void shakeHands(String protocol, int piece) throws SSLException {
        client.raw.setEnabledProtocols(new String[] {protocol});
        for (int turn = 0; !client.done || !server.done || !client.wire.isEmpty(); turn++) {
            assertThat(turn).as("turns of the handshake").isLessThan(100_000);
            client.handshake(TlsEngine.RECORD_SIZE);
            pass(client, server, piece);
            server.handshake(TlsEngine.RECORD_SIZE);
            if (!client.done) {
                pass(server, client, piece);
            }
        }
    }

    private static void pass(Side from, Side to, int piece) {
        for (int i = 0; i < piece && !from.wire.isEmpty(); i++) {
            to.feed(from.wire.remove());
        }
    }

    private static void passAll(Side from, Side to) {
        to.feed(from.takeWire());
    }

    // ------------------------------------------------------------------ the handshake

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void shakesHandsByteByByte(String protocol) throws Exception {
        shakeHands(protocol, 1);
        assertThat(client.engine.protocol()).isEqualTo(protocol);
        assertThat(client.steps).contains(Step.INPUT, Step.TASK, Step.DONE);
        assertThat(client.engine.mayEndFirst()).isEqualTo(protocol.equals(TLS13));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 11, 64, 1_000, 100_000})
    void shakesHandsInPiecesOfAnySize(int piece) throws Exception {
        shakeHands(TLS13, piece);
        client.encrypt("hello");
        passAll(client, server);
        assertThat(server.decrypt()).isEqualTo(Step.INPUT);
        assertThat(server.plaintext).hasToString("hello");
    }

    @Test
    void asksForRoomAndGoesOn() throws Exception {
        ByteBuffer none = ByteBuffer.allocate(0);
        assertThat(client.engine.handshake(client.in, none)).isEqualTo(Step.ROOM);
        shakeHands(TLS13, 1_000);
        assertThat(client.done).isTrue();
    }

    @Test
    void refusesACertificateForAnotherName() {
        Side stranger = new Side(clientEngine(Certificates.loopback(), "example.org"));
        assertThatThrownBy(() -> {
                    stranger.handshake(TlsEngine.RECORD_SIZE);
                    passAll(stranger, server);
                    server.handshake(TlsEngine.RECORD_SIZE);
                    passAll(server, stranger);
                    stranger.handshake(TlsEngine.RECORD_SIZE);
                })
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("example.org");
    }

    @Test
    void hasAnAlertForThePeerWhenItFails() throws Exception {
        Side stranger = new Side(clientEngine(Certificates.loopback(), "example.org"));
        stranger.handshake(TlsEngine.RECORD_SIZE);
        passAll(stranger, server);
        server.handshake(TlsEngine.RECORD_SIZE);
        passAll(server, stranger);
        assertThatThrownBy(() -> stranger.handshake(TlsEngine.RECORD_SIZE)).isInstanceOf(SSLException.class);
        stranger.encryptOwn();
        passAll(stranger, server);
        assertThatThrownBy(() -> server.handshake(TlsEngine.RECORD_SIZE))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("certificate_unknown");
    }

    @Test
    void refusesWhatIsNoTls() throws Exception {
        client.handshake(TlsEngine.RECORD_SIZE);
        client.feed("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(US_ASCII));
        assertThatThrownBy(() -> client.handshake(TlsEngine.RECORD_SIZE)).isInstanceOf(SSLException.class);
    }

    // ------------------------------------------------------------------ records

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void decryptsByteByByte(String protocol) throws Exception {
        shakeHands(protocol, 1_000);
        server.encrypt("the first");
        server.encrypt(", the second");
        while (!server.wire.isEmpty()) {
            pass(server, client, 1);
            assertThat(client.decrypt()).isEqualTo(Step.INPUT);
        }
        assertThat(client.plaintext).hasToString("the first, the second");
    }

    @Test
    void stopsForRoomAndLosesNothing() throws Exception {
        shakeHands(TLS13, 1_000);
        passAll(server, client); // session tickets
        client.decrypt();
        byte[] payload = Payload.bytes(100_000, 1);
        ByteBuffer plain = ByteBuffer.wrap(payload);
        ByteBuffer out = ByteBuffer.allocate(TlsEngine.RECORD_SIZE);
        ByteBuffer received = ByteBuffer.allocate(payload.length);
        Step step;
        do {
            step = server.engine.encrypt(plain, out.clear());
            out.flip();
            byte[] records = new byte[out.remaining()];
            out.get(records);
            client.feed(records);
            while (client.in.hasRemaining()) {
                ByteBuffer small = ByteBuffer.allocate(17_000);
                assertThat(client.engine.decrypt(client.in, small)).isIn(Step.INPUT, Step.ROOM);
                received.put(small.flip());
            }
        } while (step == Step.ROOM);
        assertThat(step).isEqualTo(Step.DONE);
        assertThat(received.array()).isEqualTo(payload);
        server.encrypt("x".repeat(100));
        passAll(server, client);
        assertThat(client.engine.decrypt(client.in, ByteBuffer.allocate(10))).isEqualTo(Step.ROOM);
    }

    @Test
    void refusesARecordThatWasChanged() throws Exception {
        shakeHands(TLS13, 1_000);
        passAll(server, client);
        client.decrypt();
        server.encrypt("hello");
        byte[] record = server.takeWire();
        record[record.length - 1] ^= 1;
        client.feed(record);
        assertThatThrownBy(client::decrypt).isInstanceOf(SSLException.class);
        assertThat(client.plaintext).isEmpty();
    }

    @Test
    void answersAKeyUpdateWithoutLosingItsPlace() throws Exception {
        shakeHands(TLS13, 1_000);
        passAll(server, client);
        client.decrypt();
        server.encrypt("before");
        server.raw.beginHandshake(); // in TLS 1.3, that is a key update which asks for one in return
        server.encrypt(", after");
        passAll(server, client);
        assertThat(client.decrypt()).isEqualTo(Step.OUTPUT);
        assertThat(client.encryptOwn()).isEqualTo(Step.DONE);
        assertThat(client.decrypt()).isEqualTo(Step.INPUT);
        assertThat(client.plaintext).hasToString("before, after");
        client.encrypt("with new keys");
        passAll(client, server);
        assertThat(server.decrypt()).isEqualTo(Step.INPUT);
        assertThat(server.plaintext).hasToString("with new keys");
    }

    // ------------------------------------------------------------------ ends

    @Test
    void goesOnReadingAfterItsOwnEnd() throws Exception {
        shakeHands(TLS13, 1_000);
        client.engine.closeOutput();
        assertThat(client.encryptOwn()).isEqualTo(Step.ENDED);
        assertThat(client.engine.outputEnded()).isTrue();
        passAll(client, server);
        assertThat(server.decrypt()).isEqualTo(Step.ENDED);
        assertThat(server.engine.inputEnded()).isTrue();

        server.encrypt("still here");
        server.engine.closeOutput();
        server.encryptOwn();
        passAll(server, client);
        assertThat(client.decrypt()).isEqualTo(Step.ENDED);
        assertThat(client.plaintext).hasToString("still here");
    }

    @Test
    void goesOnWritingAfterThePeersEnd() throws Exception {
        shakeHands(TLS13, 1_000);
        server.engine.closeOutput();
        server.encryptOwn();
        passAll(server, client);
        assertThat(client.decrypt()).isEqualTo(Step.ENDED);
        assertThat(client.encrypt("still here")).isEqualTo(Step.DONE);
        passAll(client, server);
        server.decrypt();
        assertThat(server.plaintext).hasToString("still here");
    }

    @Test
    void writesNothingAfterThePeersEndInTls12() throws Exception {
        shakeHands(TLS12, 1_000);
        server.engine.closeOutput();
        server.encryptOwn();
        passAll(server, client);
        assertThat(client.decrypt()).isEqualTo(Step.ENDED);
        assertThat(client.engine.wantsOutput()).as("a close_notify is owed").isTrue();
        assertThat(client.encrypt("too late")).isEqualTo(Step.ENDED);
        passAll(client, server);
        assertThat(server.decrypt()).isEqualTo(Step.ENDED);
        assertThat(server.plaintext).isEmpty();
    }

    @Test
    void renegotiatesWhenThePeerOfTls12Wants() throws Exception {
        shakeHands(TLS12, 1_000);
        server.raw.beginHandshake();
        boolean tasks = false;
        for (int turn = 0; turn < 40; turn++) {
            server.encryptOwn();
            passAll(server, client);
            Step step = client.decrypt();
            if (step == Step.TASK) {
                tasks = true;
                client.engine.runTasks();
            }
            if (client.encryptOwn() == Step.TASK) {
                client.engine.runTasks();
            }
            passAll(client, server);
            if (server.decrypt() == Step.TASK) {
                server.engine.runTasks();
            }
        }
        assertThat(tasks).as("the peer's certificate was looked at again").isTrue();
        client.encrypt("after");
        passAll(client, server);
        server.decrypt();
        assertThat(server.plaintext).hasToString("after");
    }
}
