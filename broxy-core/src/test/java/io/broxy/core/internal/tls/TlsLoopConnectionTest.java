package io.broxy.core.internal.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.mockito.AdditionalAnswers.delegatesTo;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopReader;
import io.broxy.core.internal.net.LoopWriter;
import io.broxy.core.internal.net.NetEngine;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies a TLS connection with handshake and data on an event loop. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class TlsLoopConnectionTest {
    private static final String TLS13 = "TLSv1.3";
    private static final String TLS12 = "TLSv1.2";
    private static final int MIB = 1 << 20;

    private final SSLContext server = Certificates.loopback().server();
    private final SSLContext client = Certificates.loopback().client();
    private NetEngine engine;

    @BeforeEach
    void start() throws IOException {
        engine = new NetEngine();
    }

    @AfterEach
    void stop() throws Exception {
        engine.close();
    }

    private static HostPort peer(Origin origin) {
        return HostPort.of("localhost", origin.port());
    }

    private LoopConnection connect(Origin origin) throws Exception {
        return engine.secureOnLoop(NetEngine.connect(origin.port()), client, peer(origin));
    }

    private int write(LoopConnection connection, String text) throws Exception {
        return engine.onLoop(() -> connection.write(ByteBuffer.wrap(text.getBytes(US_ASCII))));
    }

    private String read(LoopConnection connection, int count) throws Exception {
        LoopReader reader = engine.onLoop(() -> LoopReader.read(connection, count, count));
        return new String(NetEngine.patiently(reader.result), US_ASCII);
    }

    private String readAll(LoopConnection connection) throws Exception {
        LoopReader reader = engine.onLoop(() -> LoopReader.readAll(connection));
        return new String(NetEngine.patiently(reader.result), US_ASCII);
    }

    private void onLoop(Runnable task) throws Exception {
        engine.onLoop(() -> {
            task.run();
            return null;
        });
    }

    private static Throwable failureOf(CompletableFuture<?> future) throws Exception {
        try {
            NetEngine.patiently(future);
            throw new AssertionError("it did not fail");
        } catch (ExecutionException e) {
            return Objects.requireNonNull(e.getCause());
        }
    }

    // ------------------------------------------------------------------ the handshake

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void carriesBytesBothWays(String protocol) throws Exception {
        try (Origin origin = TlsOrigin.start(
                server,
                peer -> {
                    assertThat(peer.readText(5)).isEqualTo("hello");
                    peer.send("world");
                    peer.expectEnd();
                },
                protocol)) {
            LoopConnection connection = connect(origin);
            assertThat(write(connection, "hello")).isEqualTo(5);
            assertThat(read(connection, 5)).isEqualTo("world");
            assertThat(engine.onLoop(connection::remoteAddress)).isEqualTo(origin.address());
            onLoop(connection::close);
        }
    }

    /** The failure of a handshake, which closes the connection below. */
    private Throwable failureOfHandshake(Origin origin, SSLContext context, HostPort peer) throws Exception {
        LoopConnection below = engine.toLoop(NetEngine.connect(origin.port()));
        CompletableFuture<LoopConnection> result = new CompletableFuture<>();
        onLoop(() ->
                new Tls(context, engine.means).onLoop(below, peer, result::complete, result::completeExceptionally));
        Throwable failure = failureOf(result);
        await().until(() -> engine.onLoop(() -> !below.isOpen()));
        return failure;
    }

    @Test
    void refusesACertificateForAnotherNameAndSaysSo() throws Exception {
        CompletableFuture<Throwable> seen = new CompletableFuture<>();
        try (Origin origin = failingServer(seen)) {
            assertThat(failureOfHandshake(origin, client, HostPort.of("example.org", 443)))
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasMessageContaining("example.org");
            assertThat(NetEngine.patiently(seen)).hasMessageContaining("certificate_unknown");
        }
    }

    @Test
    void refusesACertificateForAnotherAddress() throws Exception {
        try (Origin origin = failingServer(new CompletableFuture<>())) {
            assertThat(failureOfHandshake(origin, client, HostPort.of("127.0.0.2", 443)))
                    .isInstanceOf(SSLHandshakeException.class);
        }
    }

    @Test
    void refusesAnUntrustedCertificate(@TempDir Path folder) throws Exception {
        SSLContext distrustful = Certificates.make(folder.resolve("other.p12")).client();
        CompletableFuture<Throwable> seen = new CompletableFuture<>();
        try (Origin origin = failingServer(seen)) {
            assertThat(failureOfHandshake(origin, distrustful, peer(origin)))
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasMessageContaining("PKIX");
            assertThat(NetEngine.patiently(seen)).isInstanceOf(SSLException.class);
        }
    }

    /** A server with a handshake that must fail. */
    private Origin failingServer(CompletableFuture<Throwable> seen) throws IOException {
        return Origin.start(peer -> {
            try (SSLSocket secure = TlsOrigin.accept(server, peer)) {
                secure.getInputStream().read();
                seen.complete(null);
            } catch (IOException e) {
                seen.complete(e);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 400 Bad Request\r\n\r\n", "\u0016\u0003\u0003\u0000\u0005xxxxx", "SSH-2.0-x\r\n"})
    void refusesWhatIsNoTls(String garbage) throws Exception {
        try (Origin origin = Origin.start(peer -> peer.send(garbage).readAll())) {
            assertThat(failureOfHandshake(origin, client, peer(origin))).isInstanceOf(SSLException.class);
        }
    }

    @Test
    void failsWhenThePeerEndsWithinTheHandshake() throws Exception {
        try (Origin origin = Origin.start(Peer::shutdownOutput)) {
            assertThat(failureOfHandshake(origin, client, peer(origin))).isInstanceOf(IOException.class);
        }
    }

    @Test
    void givesUpAMutePeerWhenItIsCancelled() throws Exception {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
            peer.readAll();
            ended.complete(null);
        })) {
            LoopConnection below = engine.toLoop(NetEngine.connect(origin.port()));
            CompletableFuture<LoopConnection> result = new CompletableFuture<>();
            DialHandle handshake = engine.onLoop(() -> new Tls(client, engine.means)
                    .onLoop(below, peer(origin), result::complete, result::completeExceptionally));
            onLoop(handshake::cancel);
            onLoop(handshake::cancel);
            NetEngine.patiently(ended);
            assertThat(result).isNotDone();
        }
    }

    @Test
    void failsWhenItsLoopEnds() throws Exception {
        try (Origin origin = Origin.discard();
                NetEngine other = new NetEngine()) {
            LoopConnection below = other.toLoop(NetEngine.connect(origin.port()));
            CompletableFuture<LoopConnection> result = new CompletableFuture<>();
            other.onLoop(() -> new Tls(client, other.means)
                    .onLoop(below, peer(origin), result::complete, result::completeExceptionally));
            other.close();
            assertThat(failureOf(result)).isInstanceOf(IOException.class);
        } catch (RejectedExecutionException e) {
            throw new AssertionError("closing twice is harmless", e);
        }
    }

    @Test
    void failsWhenNothingRunsItsTasks() throws Exception {
        TlsResources crippled = new TlsResources(
                engine.buffers,
                task -> {
                    throw new RejectedExecutionException("for the test");
                },
                engine.means.ticker());
        try (Origin origin = failingServer(new CompletableFuture<>())) {
            LoopConnection below = engine.toLoop(NetEngine.connect(origin.port()));
            CompletableFuture<LoopConnection> result = new CompletableFuture<>();
            onLoop(() -> new Tls(client, crippled)
                    .onLoop(below, peer(origin), result::complete, result::completeExceptionally));
            assertThat(failureOf(result)).isInstanceOf(IOException.class).hasMessageContaining("TLS tasks");
        }
    }

    // ------------------------------------------------------------------ readiness

    @Test
    void tellsOfPlaintextThoughTheSocketIsSilent() throws Exception {
        byte[] payload = Payload.bytes(100_000, 1);
        CompletableFuture<Void> read = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(server, peer -> {
            peer.send(payload);
            NetEngine.patiently(read); // nothing more comes on the wire, not even an end
        })) {
            LoopConnection connection = connect(origin);
            LoopReader reader = engine.onLoop(() -> LoopReader.read(connection, payload.length, 1_000));
            assertThat(NetEngine.patiently(reader.result)).isEqualTo(payload);
            read.complete(null);
            onLoop(connection::abort);
        }
    }

    @Test
    void tellsOfTheEndThoughTheSocketStaysOpen() throws Exception {
        CompletableFuture<Void> read = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
            SSLSocket secure = TlsOrigin.accept(server, peer, TLS12); // whose close_notify ends nothing below
            new Peer(secure).send("all");
            secure.shutdownOutput();
            NetEngine.patiently(read);
        })) {
            LoopConnection connection = connect(origin);
            assertThat(readAll(connection)).isEqualTo("all");
            read.complete(null);
            onLoop(connection::close);
        }
    }

    @Test
    void givesUnreadBytesFirst() throws Exception {
        try (Origin origin = TlsOrigin.start(server, peer -> peer.send(" wire"))) {
            LoopConnection connection = connect(origin);
            onLoop(() -> {
                connection.unread(ByteBuffer.wrap("over".getBytes(US_ASCII)));
                connection.unread(ByteBuffer.wrap("left ".getBytes(US_ASCII)));
            });
            assertThat(readAll(connection)).isEqualTo("left over wire");
            onLoop(connection::close);
        }
    }

    @Test
    void holdsNoBuffersWhileItIsIdle() throws Exception {
        try (Origin origin = TlsOrigin.start(server, peer -> {
            peer.send("x");
            peer.expectEnd();
        })) {
            LoopConnection connection = connect(origin);
            assertThat(read(connection, 1)).isEqualTo("x");
            assertThat(engine.buffers.heldBytes()).isZero();
            onLoop(connection::close);
        }
    }

    @Test
    void takesNoMoreThanASlowReaderLeavesRoomFor() throws Exception {
        byte[] payload = Payload.bytes(16 * MIB, 2);
        CompletableFuture<Void> go = new CompletableFuture<>();
        CompletableFuture<byte[]> received = new CompletableFuture<>();
        try (Origin origin = Origin.start(below -> {
            below.socket().setReceiveBufferSize(64 << 10);
            try (SSLSocket secure = TlsOrigin.accept(server, below)) {
                NetEngine.patiently(go);
                received.complete(secure.getInputStream().readAllBytes());
            }
        })) {
            LoopConnection connection = connect(origin);
            LoopWriter writer = new LoopWriter(connection, payload);
            onLoop(writer::start);
            awaitStandstill(writer);
            assertThat(writer.taken()).isLessThan(payload.length);
            assertThat(engine.buffers.heldBytes()).as("ciphertext").isLessThanOrEqualTo(64 << 10);
            go.complete(null);
            NetEngine.patiently(writer.done);
            onLoop(connection::close); // held bytes are still sent
            assertThat(Arrays.equals(NetEngine.patiently(received), payload)).isTrue();
        }
    }

    /** Waits until something is held and nothing more goes out. */
    private void awaitStandstill(LoopWriter writer) {
        AtomicInteger before = new AtomicInteger(-1);
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> {
                    int now = writer.taken();
                    return engine.buffers.heldBytes() > 0 && now == before.getAndSet(now);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void goesOnOverNewKeys(String protocol) throws Exception {
        try (Origin origin = TlsOrigin.start(
                server,
                peer -> {
                    SSLSocket socket = (SSLSocket) peer.socket();
                    for (int i = 0; i < 5; i++) {
                        socket.startHandshake(); // a key update; in TLS 1.2, a renegotiation
                        peer.send("ping");
                        assertThat(peer.readText(4)).isEqualTo("pong");
                    }
                },
                protocol)) {
            LoopConnection connection = connect(origin);
            for (int i = 0; i < 5; i++) {
                assertThat(read(connection, 4)).isEqualTo("ping");
                LoopWriter writer = new LoopWriter(connection, "pong".getBytes(US_ASCII));
                onLoop(writer::start);
                NetEngine.patiently(writer.done);
            }
            assertThat(readAll(connection)).isEmpty();
            onLoop(connection::close);
        }
    }

    // ------------------------------------------------------------------ ends

    @Test
    void endsItsOutputAloneInTls13() throws Exception {
        try (Origin origin = TlsOrigin.start(
                server,
                peer -> {
                    assertThat(peer.readAll()).isEqualTo("request");
                    peer.send("response");
                },
                TLS13)) {
            LoopConnection connection = connect(origin);
            write(connection, "request");
            engine.onLoop(() -> {
                connection.shutdownOutput();
                connection.shutdownOutput();
                return null;
            });
            assertThat(readAll(connection)).isEqualTo("response");
            onLoop(connection::close);
        }
    }

    @Test
    void endsNothingAloneInTls12() throws Exception {
        try (Origin origin = TlsOrigin.start(server, Peer::expectEnd, TLS12)) {
            LoopConnection connection = connect(origin);
            assertThatThrownBy(() -> engine.onLoop(() -> {
                        connection.shutdownOutput();
                        return null;
                    }))
                    .hasCauseInstanceOf(SocketException.class)
                    .hasMessageContaining("TLSv1.2 has no half-close");
            onLoop(connection::close);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void takesAnEndWithoutCloseNotifyForACut(String protocol) throws Exception {
        try (Origin origin = Origin.start(peer -> {
            SSLSocket secure = TlsOrigin.accept(server, peer, protocol);
            new Peer(secure).send("half of it");
            peer.shutdownOutput();
            peer.socket().getInputStream().transferTo(OutputStream.nullOutputStream());
        })) {
            LoopConnection connection = connect(origin);
            assertThat(read(connection, 10)).isEqualTo("half of it");
            LoopReader reader = engine.onLoop(() -> LoopReader.readAll(connection));
            assertThat(failureOf(reader.result)).hasMessageContaining("without a close_notify");
        }
    }

    @Test
    void givesWhatCameBeforeARecordThatWasChanged() throws Exception {
        CompletableFuture<Throwable> seen = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
            SSLSocket secure = TlsOrigin.accept(server, peer, TLS12);
            new Peer(secure).send("good");
            peer.send(new byte[] {23, 3, 3, 0, 32}).send(new byte[32]); // data that is not encrypted properly
            try {
                secure.getInputStream().read();
                seen.complete(null);
            } catch (IOException e) {
                seen.complete(e);
            }
        })) {
            LoopConnection connection = connect(origin);
            assertThat(read(connection, 4)).isEqualTo("good");
            LoopReader reader = engine.onLoop(() -> LoopReader.readAll(connection));
            assertThat(failureOf(reader.result)).isInstanceOf(SSLException.class);
            assertThat(NetEngine.patiently(seen)).hasMessageContaining("bad_record_mac");
        }
    }

    @Test
    void reportsAReset() throws Exception {
        try (Origin origin = Origin.start(peer -> {
            TlsOrigin.accept(server, peer);
            peer.reset();
        })) {
            LoopConnection connection = connect(origin);
            LoopReader reader = engine.onLoop(() -> LoopReader.readAll(connection));
            assertThat(failureOf(reader.result)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void countsWhatWasSentBeforeAFailure() throws Exception {
        AtomicInteger writes = new AtomicInteger(Integer.MIN_VALUE); // those of the handshake
        try (Origin origin = TlsOrigin.start(server, peer -> peer.readAll())) {
            LoopConnection below = engine.toLoop(NetEngine.connect(origin.port()));
            LoopConnection failing = mock(LoopConnection.class, delegatesTo(below));
            doAnswer(write -> {
                        ByteBuffer from = write.getArgument(0);
                        if (writes.getAndIncrement() < 0) {
                            return below.write(from);
                        }
                        if (writes.get() > 1) {
                            throw new IOException("reset");
                        }
                        int count = from.remaining();
                        from.position(from.limit());
                        return count;
                    })
                    .when(failing)
                    .write(any());
            CompletableFuture<LoopConnection> secured = new CompletableFuture<>();
            onLoop(() -> new Tls(client, engine.means)
                    .onLoop(failing, peer(origin), secured::complete, secured::completeExceptionally));
            LoopConnection connection = NetEngine.patiently(secured);
            writes.set(0);
            ByteBuffer plaintext = ByteBuffer.allocate(MIB);
            int count = engine.onLoop(() -> connection.write(plaintext));

            assertThat(count).isBetween(1, 64 << 10).isEqualTo(plaintext.position());
            assertThatThrownBy(() -> engine.onLoop(() -> connection.write(plaintext)))
                    .hasStackTraceContaining("reset");
            onLoop(connection::abort);
            assertThat(engine.buffers.heldBytes()).isZero();
        }
    }

    @Test
    void resetsThePeerWhenItIsAborted() throws Exception {
        CompletableFuture<Void> reset = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
            new Peer(TlsOrigin.accept(server, peer)).send("x"); // a handshake that was done on both sides
            peer.expectReset();
            reset.complete(null);
        })) {
            LoopConnection connection = connect(origin);
            assertThat(read(connection, 1)).isEqualTo("x");
            onLoop(connection::abort);
            NetEngine.patiently(reset);
        }
    }

    @Test
    void abandonsAHandlerThatFails() throws Exception {
        CompletableFuture<Throwable> abandoned = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(server, peer -> peer.send("x").readAll())) {
            LoopConnection connection = connect(origin);
            IllegalStateException failure = new IllegalStateException("for the test");
            engine.onLoop(() -> {
                connection.handler(new ChannelEvents() {
                    @Override
                    public void ready(int readyOps) {
                        throw failure;
                    }

                    @Override
                    public void abandoned(Throwable cause) {
                        connection.abort();
                        abandoned.complete(cause);
                    }
                });
                connection.interest(SelectionKey.OP_READ);
                return null;
            });
            assertThat(NetEngine.patiently(abandoned)).isSameAs(failure);
        }
    }

    // ------------------------------------------------------------------ changing hands

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void changesHandsWithAllThatIsBuffered(String protocol) throws Exception {
        byte[] payload = Payload.bytes(MIB, 3);
        try (Origin origin = TlsOrigin.start(
                server,
                peer -> {
                    peer.send(payload);
                    assertThat(peer.readText(4)).isEqualTo("done");
                },
                protocol)) {
            ByteBuffer all = ByteBuffer.allocate(payload.length);
            LoopConnection onLoop = connect(origin);
            for (int turn = 0; all.hasRemaining(); turn++) {
                LoopReader reader = readOnLoop(
                        onLoop, Math.min(all.remaining(), 1 + 7_919 * turn % 70_000), 1 + 4_001 * turn % 40_000);
                all.put(NetEngine.patiently(reader.result));
                Connection user = engine.toUser(onLoop);
                ByteBuffer some = all.slice(all.position(), Math.min(all.remaining(), 1 + 5_003 * turn % 60_000));
                if (some.hasRemaining()) {
                    all.position(all.position() + user.read(some));
                }
                onLoop = engine.toLoop(user);
            }
            assertThat(Arrays.equals(all.array(), payload)).isTrue();
            try (Connection user = engine.toUser(onLoop)) {
                user.write(ByteBuffer.wrap("done".getBytes(US_ASCII)));
                assertThat(user.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            }
        }
    }

    private LoopReader readOnLoop(LoopConnection connection, int count, int step) throws Exception {
        return engine.onLoop(() -> LoopReader.read(connection, count, step));
    }

    @Test
    void goesToAUserOnceWhatIsHeldHasGoneOut() throws Exception {
        byte[] payload = Payload.bytes(16 * MIB, 4);
        CompletableFuture<Void> go = new CompletableFuture<>();
        CompletableFuture<byte[]> received = new CompletableFuture<>();
        try (Origin origin = Origin.start(below -> {
            below.socket().setReceiveBufferSize(64 << 10);
            try (SSLSocket secure = TlsOrigin.accept(server, below)) {
                NetEngine.patiently(go);
                received.complete(secure.getInputStream().readAllBytes());
            }
        })) {
            LoopConnection connection = connect(origin);
            CompletableFuture<Connection> user = new CompletableFuture<>();
            ByteBuffer source = ByteBuffer.wrap(payload);
            // until what is held stays where it is: the system may take some more a moment after it took nothing
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .during(Duration.ofMillis(300))
                    .until(() -> engine.onLoop(() -> connection.write(source)) == 0);
            int taken = engine.onLoop(() -> {
                connection.release(user::complete, user::completeExceptionally);
                return source.position();
            });
            assertThat(taken).isLessThan(payload.length);
            assertThat(engine.onLoop(user::isDone)).isFalse();
            go.complete(null);
            try (Connection now = NetEngine.patiently(user)) {
                now.write(ByteBuffer.wrap("!".getBytes(US_ASCII)));
            }
            byte[] all = NetEngine.patiently(received);
            assertThat(all).hasSize(taken + 1);
            assertThat(Arrays.equals(all, 0, taken, payload, 0, taken)).isTrue();
        }
    }

    @Test
    void canLieUnderAnotherTls() throws Exception {
        try (Origin origin = TlsOrigin.start(server, outer -> {
            try (SSLSocket inner = TlsOrigin.accept(server, outer)) {
                inner.getInputStream().transferTo(inner.getOutputStream());
            }
        })) {
            LoopConnection first = connect(origin);
            CompletableFuture<LoopConnection> second = new CompletableFuture<>();
            onLoop(() -> new Tls(client, engine.means)
                    .onLoop(first, peer(origin), second::complete, second::completeExceptionally));
            LoopConnection inner = NetEngine.patiently(second);
            write(inner, "twice as secret");
            assertThat(read(inner, 15)).isEqualTo("twice as secret");
            try (Connection user = engine.toUser(inner)) {
                user.write(ByteBuffer.wrap("again".getBytes(US_ASCII)));
                user.shutdownOutput();
                ByteBuffer into = ByteBuffer.allocate(10);
                while (user.read(into) >= 0) {}
                assertThat(new String(into.array(), 0, into.position(), US_ASCII))
                        .isEqualTo("again");
            }
        }
    }
}
