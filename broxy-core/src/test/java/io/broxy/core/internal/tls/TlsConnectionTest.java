package io.broxy.core.internal.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.net.NetEngine;
import io.broxy.core.internal.net.PeerEndedException;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies a TLS connection with a user that reads and writes on its own threads. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class TlsConnectionTest {
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

    private TlsConnection connect(Origin origin) throws Exception {
        return engine.secure(NetEngine.connect(origin.port()), client, peer(origin));
    }

    private static void write(Connection connection, String text) throws IOException {
        connection.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
    }

    private static String read(Connection connection, int count) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(count);
        while (into.hasRemaining() && connection.read(into) >= 0) {}
        return new String(into.array(), 0, into.position(), US_ASCII);
    }

    private static int readOne(Connection connection) throws IOException {
        return connection.read(ByteBuffer.allocate(1));
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
                        protocol);
                TlsConnection connection = connect(origin)) {
            write(connection, "hello");
            assertThat(read(connection, 5)).isEqualTo("world");
            assertThat(connection.toString()).startsWith(protocol);
            assertThat(connection.isOpen()).isTrue();
        }
    }

    @Test
    void sendsTheNameOfThePeerAndNoAddress() throws Exception {
        CompletableFuture<List<SNIServerName>> name = new CompletableFuture<>();
        CompletableFuture<List<SNIServerName>> address = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
            try (SSLSocket secure = TlsOrigin.accept(server, peer)) {
                (name.isDone() ? address : name)
                        .complete(((ExtendedSSLSession) secure.getSession()).getRequestedServerNames());
                new Peer(secure).expectEnd();
            }
        })) {
            connect(origin).close();
            assertThat(NetEngine.patiently(name)).containsExactly(new SNIHostName("localhost"));
            engine.secure(NetEngine.connect(origin.port()), client, HostPort.of("127.0.0.1", origin.port()))
                    .close();
            assertThat(NetEngine.patiently(address)).isEmpty();
        }
    }

    // ------------------------------------------------------------------ bytes

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void carriesManyBytesBothWaysAtOnce(String protocol) throws Exception {
        CompletableFuture<String> received = new CompletableFuture<>();
        CompletableFuture<String> sent = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(
                        server,
                        peer -> {
                            Thread writer = new Thread(() -> {
                                try {
                                    sent.complete(Payload.write(peer.socket().getOutputStream(), 8 * MIB, 1));
                                } catch (IOException e) {
                                    sent.completeExceptionally(e);
                                }
                            });
                            writer.start();
                            received.complete(digest(peer.socket().getInputStream(), 8 * MIB));
                            writer.join();
                            peer.socket().close(); // both have all: in TLS 1.2 an end is for both
                        },
                        protocol);
                TlsConnection connection = connect(origin)) {
            CompletableFuture<String> written = new CompletableFuture<>();
            Thread writer = new Thread(() -> {
                try {
                    written.complete(Payload.write(Channels.newOutputStream(connection), 8 * MIB, 2));
                } catch (IOException e) {
                    written.completeExceptionally(e);
                }
            });
            writer.start();
            String read = Payload.read(Channels.newInputStream(connection));
            assertThat(read).isEqualTo(NetEngine.patiently(sent));
            assertThat(NetEngine.patiently(received)).isEqualTo(NetEngine.patiently(written));
            writer.join();
        }
    }

    private static String digest(InputStream in, int count) throws IOException {
        return Payload.read(new InputStream() {
            private int left = count;

            @Override
            public int read() {
                throw new UnsupportedOperationException("only in pieces");
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int read = left == 0 ? -1 : in.read(bytes, offset, Math.min(length, left));
                left -= Math.max(0, read);
                return read;
            }
        });
    }

    @Test
    void readsInStepsOfOneByte() throws Exception {
        byte[] payload = Payload.bytes(40_000, 3);
        try (Origin origin = TlsOrigin.start(server, peer -> peer.send(payload));
                TlsConnection connection = connect(origin)) {
            ByteBuffer all = ByteBuffer.allocate(payload.length);
            for (int i = 1; i <= payload.length; i++) {
                assertThat(connection.read(all.limit(i))).isEqualTo(1);
            }
            assertThat(all.array()).isEqualTo(payload);
            assertThat(readOne(connection)).isEqualTo(-1);
            assertThat(readOne(connection)).isEqualTo(-1);
        }
    }

    @Test
    void readsNothingIntoNothing() throws Exception {
        try (Origin origin = TlsOrigin.start(server, Peer::expectEnd);
                TlsConnection connection = connect(origin)) {
            assertThat(connection.read(ByteBuffer.allocate(0))).isZero();
        }
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
                        protocol);
                TlsConnection connection = connect(origin)) {
            for (int i = 0; i < 5; i++) {
                assertThat(read(connection, 4)).isEqualTo("ping");
                write(connection, "pong");
            }
            assertThat(readOne(connection)).isEqualTo(-1);
        }
    }

    // ------------------------------------------------------------------ ends

    @Test
    void endsItsOutputAloneInTls13() throws Exception {
        try (Origin origin = TlsOrigin.start(
                        server,
                        peer -> {
                            assertThat(peer.readAll()).isEqualTo("request");
                            peer.send("response behind the end of the request");
                        },
                        TLS13);
                TlsConnection connection = connect(origin)) {
            write(connection, "request");
            connection.shutdownOutput();
            connection.shutdownOutput();
            assertThat(read(connection, 100)).isEqualTo("response behind the end of the request");
            assertThat(readOne(connection)).isEqualTo(-1);
            assertThatThrownBy(() -> write(connection, "x")).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void endsNothingAloneInTls12() throws Exception {
        try (Origin origin = TlsOrigin.start(
                        server,
                        peer -> {
                            assertThat(peer.readText(7)).isEqualTo("request");
                            peer.send("response");
                            peer.expectEnd();
                        },
                        TLS12);
                TlsConnection connection = connect(origin)) {
            write(connection, "req");
            assertThatThrownBy(connection::shutdownOutput)
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("TLSv1.2 has no half-close");
            write(connection, "uest");
            assertThat(read(connection, 8)).isEqualTo("response");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TLS12, TLS13})
    void tellsThePeerOfItsClose(String protocol) throws Exception {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(
                server,
                peer -> {
                    peer.send("x");
                    peer.expectEnd(); // which an end without close_notify is not to an SSLSocket
                    ended.complete(null);
                },
                protocol)) {
            TlsConnection connection = connect(origin);
            assertThat(read(connection, 1)).isEqualTo("x");
            connection.close();
            connection.close();
            NetEngine.patiently(ended);
            assertThatThrownBy(() -> readOne(connection)).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> write(connection, "x")).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(connection::asSocket).isInstanceOf(ClosedChannelException.class);
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
                });
                TlsConnection connection = connect(origin)) {
            assertThat(read(connection, 10)).isEqualTo("half of it");
            assertThatThrownBy(() -> readOne(connection))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("without a close_notify");
            assertThatThrownBy(() -> readOne(connection)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void reportsAReset() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    TlsOrigin.accept(server, peer);
                    peer.reset();
                });
                TlsConnection connection = connect(origin)) {
            assertThatThrownBy(() -> readOne(connection)).isInstanceOf(IOException.class);
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
            TlsConnection connection = connect(origin);
            assertThat(read(connection, 1)).isEqualTo("x");
            connection.abort();
            assertThat(connection.isOpen()).isFalse();
            NetEngine.patiently(reset);
        }
    }

    @Test
    void saysThatThePeerHadEndedInTls12() throws Exception {
        try (Origin origin = TlsOrigin.start(server, peer -> peer.send("all"), TLS12);
                TlsConnection connection = connect(origin)) {
            assertThat(read(connection, 100)).isEqualTo("all");
            assertThatThrownBy(() -> write(connection, "too late")).isInstanceOf(PeerEndedException.class);
        }
    }

    @Test
    void wakesAThreadThatReadsWhenItIsClosed() throws Exception {
        try (Origin origin = TlsOrigin.start(server, Peer::readAll)) {
            TlsConnection connection = connect(origin);
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            CountDownLatch begun = new CountDownLatch(1);
            Thread reader = new Thread(() -> {
                begun.countDown();
                try {
                    readOne(connection);
                    failure.complete(null);
                } catch (IOException e) {
                    failure.complete(e);
                }
            });
            reader.start();
            begun.await();
            connection.close();
            assertThat(NetEngine.patiently(failure)).isInstanceOf(IOException.class);
            reader.join();
        }
    }

    @Test
    void doesNotWaitForAPeerThatTakesNothingWhenItIsClosed() throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(server, peer -> NetEngine.patiently(closed))) {
            TlsConnection connection = connect(origin);
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            Thread writer = new Thread(() -> {
                ByteBuffer piece = ByteBuffer.allocate(MIB);
                try {
                    while (true) {
                        connection.write(piece.clear());
                    }
                } catch (IOException e) {
                    failure.complete(e);
                }
            });
            writer.start();
            await().until(() -> writer.getStackTrace().length > 0
                    && writer.getState() == Thread.State.RUNNABLE
                    && writer.getStackTrace()[0].isNativeMethod());
            connection.close();
            assertThat(NetEngine.patiently(failure)).isInstanceOf(IOException.class);
            closed.complete(null);
            writer.join();
        }
    }

    // ------------------------------------------------------------------ as a socket

    @Test
    void isASocketWithTimeOuts() throws Exception {
        CompletableFuture<Void> timedOut = new CompletableFuture<>();
        try (Origin origin = TlsOrigin.start(
                        server,
                        peer -> {
                            peer.send("early");
                            NetEngine.patiently(timedOut);
                            peer.send("late");
                            assertThat(peer.readAll()).isEqualTo("bye");
                            peer.send("!");
                        },
                        TLS13);
                TlsConnection connection = connect(origin)) {
            Socket socket = connection.asSocket();
            assertThat(connection.asSocket()).isSameAs(socket);
            assertThat(socket.isConnected()).isTrue();
            assertThat(socket.getPort()).isEqualTo(origin.port());
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            assertThat(in.read()).isEqualTo('e');
            assertThat(in.available()).isEqualTo(4);
            assertThat(new String(in.readNBytes(4), US_ASCII)).isEqualTo("arly");
            socket.setSoTimeout(50);
            assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
            timedOut.complete(null);
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            assertThat(new String(in.readNBytes(4), US_ASCII)).isEqualTo("late");
            socket.getOutputStream().write("bye".getBytes(US_ASCII));
            socket.shutdownOutput();
            assertThat(in.read()).isEqualTo('!');
            assertThat(in.read()).isEqualTo(-1);
            socket.close();
            assertThat(connection.isOpen()).isFalse();
        }
    }

    @Test
    void canLieUnderAnotherTls() throws Exception {
        try (Origin origin = TlsOrigin.start(server, outer -> {
                    try (SSLSocket inner = TlsOrigin.accept(server, outer)) {
                        inner.getInputStream().transferTo(inner.getOutputStream());
                    }
                });
                TlsConnection connection = engine.secure(connect(origin), client, peer(origin))) {
            write(connection, "twice as secret");
            assertThat(read(connection, 15)).isEqualTo("twice as secret");
            connection.shutdownOutput();
            assertThat(readOne(connection)).isEqualTo(-1);
        }
    }

    @Test
    void worksOverASocketWithoutAChannel() throws Exception {
        try (Origin origin = TlsOrigin.start(server, peer -> {
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                });
                TlsConnection connection = engine.secure(
                        new StreamConnection(Peer.connect(origin.port()).socket()), client, peer(origin))) {
            assertThat(connection.hasReadiness()).isFalse();
            write(connection, "hello");
            assertThat(read(connection, 5)).isEqualTo("hello");
            connection.shutdownOutput();
            assertThat(readOne(connection)).isEqualTo(-1);
        }
    }

    @Test
    void givesUnreadBytesFirst() throws Exception {
        try (Origin origin = TlsOrigin.start(server, peer -> peer.send("wire"));
                TlsConnection connection = connect(origin)) {
            connection.unread(ByteBuffer.wrap("left over ".getBytes(US_ASCII)));
            assertThat(read(connection, 100)).isEqualTo("left over wire");
        }
    }
}
