package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Connection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Specifies that {@link Connection#write} writes its whole buffer: for every kind of connection, on every kind of
 * thread, alone and beside another thread's timed reads, up to the end of the stream.
 */
@ExtendWith(LeakCheck.class)
class WholeWritesTest {
    /** More than every buffer between a writer and a reader together. */
    private static final int SIZE = 24 << 20;

    private static final byte[] PAYLOAD = Payload.bytes(SIZE, 14);

    /** In use while many bytes are on their way through a machine that does other things, too. */
    private static final long PATIENCE_SECONDS = 120;

    /** What another thread does with the connection meanwhile. */
    enum Beside {
        NOTHING,
        TIMED_READS,
        TIMED_READS_OF_THE_SOCKET
    }

    static List<Arguments> everyCase() {
        List<Arguments> cases = new ArrayList<>();
        for (ConnectionKind kind : ConnectionKind.values()) {
            for (Threads threads : Threads.available()) {
                for (Beside beside : Beside.values()) {
                    cases.add(Arguments.of(kind, threads, beside));
                }
            }
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("everyCase")
    @Tag("sweep")
    void writeWritesAll(ConnectionKind kind, Threads threads, Beside beside) throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        String digest = digest();
        try (ConnectionKind.Rig rig = new ConnectionKind.Rig();
                Origin origin = kind.origin(peer -> {
                    await(writing);
                    peer.send(Payload.read(peer.socket().getInputStream()));
                    peer.shutdownOutput();
                });
                Connection connection = kind.open(rig, origin)) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            if (beside != Beside.NOTHING) {
                answer =
                        start(threads, beside == Beside.TIMED_READS ? timedReads(connection) : socketReads(connection));
            }
            ByteBuffer all = ByteBuffer.allocateDirect(SIZE).put(PAYLOAD).flip();
            CompletableFuture<Integer> written = start(threads, () -> {
                writing.countDown();
                int count = connection.write(all);
                connection.shutdownOutput();
                return count;
            });

            assertThat(written.get(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo(SIZE);
            assertThat(all.hasRemaining()).isFalse();
            if (beside == Beside.NOTHING) {
                answer = start(threads, () -> readAll(connection));
            }
            assertThat(answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo(digest);
        }
    }

    @ParameterizedTest
    @MethodSource("io.broxy.core.testkit.Threads#available")
    void writesOfOneKindOfThreadFollowReadsAndWritesOfTheOther(Threads threads) throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        String digest = digest();
        try (ConnectionKind.Rig rig = new ConnectionKind.Rig();
                Origin origin = Origin.start(peer -> {
                    peer.send(peer.read(1));
                    await(writing);
                    peer.send(Payload.read(peer.socket().getInputStream()));
                });
                Connection connection = ConnectionKind.CHANNEL.open(rig, origin)) {
            assertThat(start(threads, () -> {
                                connection.write(ByteBuffer.allocate(1));
                                return connection.read(ByteBuffer.allocate(1));
                            })
                            .get(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .isEqualTo(1);
            writing.countDown();
            assertThat(connection.write(ByteBuffer.wrap(PAYLOAD))).isEqualTo(SIZE);
            connection.shutdownOutput();
            assertThat(readAll(connection)).isEqualTo(digest);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void closeEndsAWriteThatIsNotTakenByFailingIt(ConnectionKind kind) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (ConnectionKind.Rig rig = new ConnectionKind.Rig();
                Origin origin = kind.origin(peer -> {
                    peer.send("go");
                    await(over);
                })) {
            Connection connection = kind.open(rig, origin);
            assertThat(connection.read(ByteBuffer.allocate(2))).isPositive();
            ByteBuffer all = ByteBuffer.wrap(PAYLOAD);
            CompletableFuture<Integer> written = start(Threads.PLATFORM, () -> connection.write(all));
            connection.abort();
            assertThatThrownBy(() -> written.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .hasCauseInstanceOf(IOException.class);
            assertThat(connection.isOpen()).isFalse();
            over.countDown();
        }
    }

    static ConnectionKind[] kinds() {
        return ConnectionKind.values();
    }

    // ------------------------------------------------------------------ the rig

    private static Callable<String> timedReads(Connection connection) throws IOException {
        connection.readTimeout(Duration.ofMillis(5));
        return () -> readAll(connection);
    }

    private static String readAll(Connection connection) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(1_000);
        while (true) {
            try {
                if (connection.read(all) < 0) {
                    return StandardCharsets.US_ASCII.decode(all.flip()).toString();
                }
            } catch (SocketTimeoutException e) {
                // once more
            }
        }
    }

    private static Callable<String> socketReads(Connection connection) throws IOException {
        Socket socket = connection.asSocket();
        socket.setSoTimeout(5);
        InputStream in = socket.getInputStream();
        return () -> {
            StringBuilder all = new StringBuilder();
            while (true) {
                try {
                    int read = in.read();
                    if (read < 0) {
                        return all.toString();
                    }
                    all.append((char) read);
                } catch (SocketTimeoutException e) {
                    // once more
                }
            }
        };
    }

    private static <T> CompletableFuture<T> start(Threads threads, Callable<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        threads.start(() -> {
            try {
                result.complete(call.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private static String digest() throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(PAYLOAD));
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }
}
