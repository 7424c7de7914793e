package io.broxy.core.internal.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Connection;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Specifies that an interrupt and a close affect sockets as they affect the JDK's own. An interrupt has no effect on a
 * platform thread and closes the socket on a virtual one; a connection, which is a channel, is closed on both.
 */
@ExtendWith(LeakCheck.class)
class InterruptedSocketTest {
    /** Kinds with a socket of Broxy's own that returns an echo's bytes unchanged. */
    private static final List<ConnectionKind> PLAIN = List.of(
            ConnectionKind.CHANNEL,
            ConnectionKind.FROM_A_LOOP,
            ConnectionKind.TLS,
            ConnectionKind.UNREAD,
            ConnectionKind.LEASED,
            ConnectionKind.HTTP_PROXY,
            ConnectionKind.SOCKS5_PROXY);

    private ConnectionKind.Rig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new ConnectionKind.Rig();
    }

    @AfterEach
    void stop() throws Exception {
        assertThat(Thread.interrupted()).as("interrupt status").isFalse();
        rig.close();
    }

    static List<ConnectionKind> kinds() {
        return PLAIN;
    }

    private static void echo(Peer peer) throws IOException {
        peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
        peer.shutdownOutput();
    }

    private static void assertEchoes(Socket socket, String text) throws IOException {
        socket.setSoTimeout(Peer.PATIENCE_MILLIS);
        socket.getOutputStream().write(text.getBytes(US_ASCII));
        assertThat(socket.getInputStream().readNBytes(text.length())).isEqualTo(text.getBytes(US_ASCII));
    }

    // ------------------------------------------------------------------ platform threads

    @ParameterizedTest
    @MethodSource("kinds")
    void threadWhoseStatusIsSetReadsAndWritesAndKeepsIt(ConnectionKind kind) throws Exception {
        try (Origin origin = kind.origin(InterruptedSocketTest::echo);
                Connection connection = kind.open(rig, origin)) {
            Socket socket = connection.asSocket();
            Thread.currentThread().interrupt();
            try {
                assertEchoes(socket, "interrupted"); // which has to wait for the answer
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                socket.shutdownOutput();
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(socket.isClosed()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void readThatIsInterruptedGoesOn(ConnectionKind kind) throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        try (Origin origin = kind.origin(peer -> {
                    await(interrupted);
                    peer.send("late");
                    peer.expectEnd();
                });
                Connection connection = kind.open(rig, origin)) {
            Socket socket = connection.asSocket();
            InputStream in = socket.getInputStream();
            Call<String> reading = Call.start(
                    Threads.PLATFORM,
                    () -> new String(in.readNBytes(4), US_ASCII)
                            + Thread.currentThread().isInterrupted());
            reading.awaitBlocked();
            for (int i = 0; i < 3; i++) {
                reading.thread.interrupt();
                reading.awaitBlocked();
            }
            interrupted.countDown();

            assertThat(reading.get()).isEqualTo("latetrue");
            assertThat(socket.isClosed()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void writeThatIsInterruptedGoesOn(ConnectionKind kind) throws Exception {
        byte[] payload = Payload.bytes(16 << 20, 3);
        CountDownLatch interrupted = new CountDownLatch(1);
        try (Origin origin = kind.origin(peer -> {
                    await(interrupted);
                    peer.send(Payload.read(peer.socket().getInputStream()));
                });
                Connection connection = kind.open(rig, origin)) {
            Socket socket = connection.asSocket();
            Call<Boolean> writing = Call.start(Threads.PLATFORM, () -> {
                socket.getOutputStream().write(payload);
                socket.shutdownOutput();
                return Thread.currentThread().isInterrupted();
            });
            writing.awaitBlocked();
            writing.thread.interrupt();
            writing.awaitBlocked();
            interrupted.countDown();

            assertThat(writing.get()).isTrue();
            assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII))
                    .isEqualTo(HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(payload)));
        }
    }

    @Test
    void timedReadOfAnInterruptedThreadStillTimesOut() throws Exception {
        try (Origin origin = Origin.start(InterruptedSocketTest::echo);
                Socket socket = rig.broxy.asSocketFactory(rig.direct()).createSocket("127.0.0.1", origin.port())) {
            socket.setSoTimeout(30);
            Thread.currentThread().interrupt();
            try {
                assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertEchoes(socket, "again");
        }
    }

    @Test
    void threadWhoseStatusIsSetConnectsAndKeepsIt() throws Exception {
        try (Origin origin = Origin.start(InterruptedSocketTest::echo)) {
            for (Dialer dialer :
                    List.<Dialer>of(rig.direct(), request -> rig.direct().dial(request))) {
                Thread.currentThread().interrupt();
                Socket socket;
                try {
                    socket = rig.broxy.asSocketFactory(dialer).createSocket("localhost", origin.port());
                } finally {
                    assertThat(Thread.interrupted()).isTrue();
                }
                try (socket) {
                    assertEchoes(socket, "connected");
                }
            }
        }
    }

    @Test
    void connectThatIsInterruptedGoesOn() throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        AtomicInteger dials = new AtomicInteger();
        try (Origin origin = Origin.start(InterruptedSocketTest::echo);
                Socket socket = rig.broxy
                        .asSocketFactory(request -> {
                            dials.incrementAndGet();
                            dialing.countDown();
                            awaitInterrupt(dials.get() == 1);
                            return rig.direct().dial(request);
                        })
                        .createSocket()) {
            Call<Boolean> connecting = Call.start(Threads.PLATFORM, () -> {
                socket.connect(origin.address(), Peer.PATIENCE_MILLIS);
                return Thread.currentThread().isInterrupted();
            });
            await(dialing);
            connecting.thread.interrupt();

            assertThat(connecting.get()).isTrue();
            assertThat(dials).hasValue(2);
            assertEchoes(socket, "connected");
        }
    }

    @Test
    void connectThatIsInterruptedKeepsItsTime() throws Exception {
        CountDownLatch dialing = new CountDownLatch(1);
        Dialer silent = request -> {
            dialing.countDown();
            return neverConnects(request);
        };
        try (Socket socket = rig.broxy.asSocketFactory(silent).createSocket()) {
            Call<Throwable> connecting = Call.start(Threads.PLATFORM, () -> {
                try {
                    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9), 300);
                    return null;
                } catch (IOException e) {
                    return e;
                }
            });
            await(dialing);
            connecting.thread.interrupt();

            assertThat(connecting.get()).isInstanceOf(SocketTimeoutException.class);
        }
    }

    /** As a dialer that is written by the book: interrupted it is cancelled, and it keeps its time. */
    private static Connection neverConnects(DialRequest request) throws io.broxy.DialException {
        io.broxy.DialException.Reason reason = io.broxy.DialException.Reason.TIMEOUT;
        try {
            Duration timeout = request.timeout();
            new CountDownLatch(1).await(timeout == null ? 20_000 : timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            reason = io.broxy.DialException.Reason.CANCELLED;
        }
        throw new io.broxy.DialException(reason, request.target(), Duration.ZERO, List.of(), null);
    }

    private static void awaitInterrupt(boolean wanted) {
        if (wanted) {
            Awaitility.await()
                    .pollInSameThread()
                    .ignoreExceptions()
                    .atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> Thread.currentThread().isInterrupted());
        }
    }

    // ------------------------------------------------------------------ virtual threads

    @ParameterizedTest
    @MethodSource("kinds")
    void interruptClosesTheSocketOfAVirtualThread(ConnectionKind kind) throws Exception {
        Assumptions.assumeTrue(Threads.available().contains(Threads.VIRTUAL), "this JVM has no virtual threads");
        try (Origin origin = kind.origin(peer -> peer.socket().getInputStream().read());
                Connection connection = kind.open(rig, origin)) {
            Socket socket = connection.asSocket();
            InputStream in = socket.getInputStream();
            Call<String> reading = Call.start(Threads.VIRTUAL, () -> {
                try {
                    return "read " + in.read();
                } catch (SocketException e) {
                    return e.getMessage() + ", interrupted "
                            + Thread.currentThread().isInterrupted();
                }
            });
            reading.awaitBlocked();
            reading.thread.interrupt();

            assertThat(reading.get()).isEqualTo("Closed by interrupt, interrupted true");
            assertThat(socket.isClosed()).isTrue();
            assertThat(connection.isOpen()).isFalse();
        }
    }

    // ------------------------------------------------------------------ connections

    @ParameterizedTest
    @EnumSource(
            value = ConnectionKind.class,
            names = {"SOCKET", "SSL_SOCKET", "BRIDGED"},
            mode = EnumSource.Mode.EXCLUDE)
    void interruptClosesAConnectionThatIsRead(ConnectionKind kind) throws Exception {
        for (Threads threads : Threads.available()) {
            try (Origin origin =
                            kind.origin(peer -> peer.socket().getInputStream().read());
                    Connection connection = kind.open(rig, origin)) {
                Call<Throwable> reading = Call.start(threads, () -> {
                    try {
                        connection.read(ByteBuffer.allocate(1));
                        return null;
                    } catch (ClosedByInterruptException e) {
                        return e;
                    }
                });
                reading.awaitBlocked();
                reading.thread.interrupt();

                assertThat(reading.get()).isInstanceOf(ClosedByInterruptException.class);
                assertThat(connection.isOpen()).isFalse();
            }
        }
    }

    @Test
    void statusThatIsSetClosesAConnectionBeforeItWrites() throws Exception {
        try (Origin origin = Origin.start(Peer::expectEnd);
                Connection connection = ConnectionKind.CHANNEL.open(rig, origin)) {
            Socket socket = connection.asSocket();
            Thread.currentThread().interrupt();
            try {
                assertThatThrownBy(() -> connection.write(ByteBuffer.allocate(1)))
                        .isInstanceOf(ClosedByInterruptException.class);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(connection.isOpen()).isFalse();
            assertThat(socket.isClosed()).isTrue();
        }
    }

    // ------------------------------------------------------------------ closes

    @ParameterizedTest
    @MethodSource("kinds")
    void closeByAnotherThreadFailsAReadAsSocketsDo(ConnectionKind kind) throws Exception {
        for (Threads threads : Threads.available()) {
            for (boolean bySocket : new boolean[] {true, false}) {
                try (Origin origin = kind.origin(
                                peer -> peer.socket().getInputStream().read());
                        Connection connection = kind.open(rig, origin)) {
                    Socket socket = connection.asSocket();
                    InputStream in = socket.getInputStream();
                    Call<Throwable> reading = Call.start(threads, () -> {
                        try {
                            return new AssertionError("read " + in.read());
                        } catch (IOException e) {
                            return e;
                        }
                    });
                    reading.awaitBlocked();
                    if (bySocket) {
                        socket.close();
                    } else {
                        connection.close();
                    }

                    assertThat(reading.get())
                            .isInstanceOf(SocketException.class)
                            .hasMessage("Socket closed");
                    assertThat(socket.isClosed()).isTrue();
                    assertThatThrownBy(in::read).isInstanceOf(SocketException.class);
                    assertThatThrownBy(socket::getInputStream).isInstanceOf(SocketException.class);
                    assertThatThrownBy(() -> socket.setSoTimeout(1)).isInstanceOf(SocketException.class);
                }
            }
        }
    }

    @Test
    void closeByAnotherThreadFailsAReadOfAFactorysSocket() throws Exception {
        try (Origin origin = Origin.discard()) {
            Socket socket = rig.broxy.asSocketFactory(rig.direct()).createSocket("127.0.0.1", origin.port());
            InputStream in = socket.getInputStream();
            Call<Throwable> reading = Call.start(Threads.PLATFORM, () -> {
                try {
                    return new AssertionError("read " + in.read());
                } catch (IOException e) {
                    return e;
                }
            });
            reading.awaitBlocked();
            socket.close();
            assertThat(reading.get()).isInstanceOf(SocketException.class).hasMessage("Socket closed");
            assertThat(socket.isClosed()).isTrue();
        }
    }

    @Test
    void closeFailsAWriteAsSocketsDo() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> await(over));
                Connection connection = ConnectionKind.CHANNEL.open(rig, origin)) {
            Socket socket = connection.asSocket();
            Call<Throwable> writing = Call.start(Threads.PLATFORM, () -> {
                try {
                    socket.getOutputStream().write(new byte[32 << 20]);
                    return null;
                } catch (IOException e) {
                    return e;
                }
            });
            writing.awaitBlocked();
            socket.close();
            assertThat(writing.get()).isInstanceOf(SocketException.class).hasMessage("Socket closed");
            over.countDown();
        }
    }

    // ------------------------------------------------------------------ the rig

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    }

    /** A call on a thread of its own. */
    private static final class Call<T> {
        final CompletableFuture<T> result = new CompletableFuture<>();
        final Thread thread;

        private Call(Threads threads, Callable<T> call) {
            thread = threads.start(() -> {
                try {
                    result.complete(call.call());
                } catch (Throwable e) {
                    result.completeExceptionally(e);
                }
            });
        }

        static <T> Call<T> start(Threads threads, Callable<T> call) {
            return new Call<>(threads, call);
        }

        T get() throws Exception {
            return result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }

        /** Waits until the thread waits for its peer, with no interrupt left to be seen. */
        void awaitBlocked() {
            Awaitility.await()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(5))
                    .atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> !thread.isInterrupted() && isWaiting());
        }

        private boolean isWaiting() {
            return List.of(thread.getStackTrace()).stream()
                    .anyMatch(frame -> frame.getClassName().equals(ReadinessWait.class.getName())
                            && (frame.getMethodName().equals("select")
                                    || frame.getMethodName().equals("park")));
        }
    }
}
