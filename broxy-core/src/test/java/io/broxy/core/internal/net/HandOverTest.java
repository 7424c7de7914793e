package io.broxy.core.internal.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies that a connection has one owner at a time, its user or a loop, and that no byte is lost when it changes.
 */
@ExtendWith(LeakCheck.class)
class HandOverTest {

    @Nested
    class BetweenALoopAndAUser {
        private EventLoops loops;
        private EventLoop loop;

        @BeforeEach
        void start() throws IOException {
            loops = EventLoops.start(1, new BufferPool(1 << 20, 1 << 20), Ticker.SYSTEM);
            loop = loops.next();
        }

        @AfterEach
        void stop() throws Exception {
            assertThat(loops.stop(TimeUnit.SECONDS.toNanos(20))).isTrue();
        }

        @Test
        void connectionThatWasNeverRegisteredPassesAtOnce() throws Exception {
            try (Origin origin = Origin.echo();
                    Connection connection = toUser(onLoop(SocketChannel.open(origin.address())))) {
                assertRoundTrip(connection, "as it is");
            }
        }

        @Test
        void registeredConnectionPassesWithTheBytesThatTheLoopHasNotRead() throws Exception {
            try (Origin origin = Origin.greeting("hello, user")) {
                CompletableFuture<String> head = new CompletableFuture<>();
                LoopSocket socket = onLoop(SocketChannel.open(origin.address()));
                onLoop(() -> {
                    socket.handler(new Reader(socket, 5, head));
                    socket.interest(SelectionKey.OP_READ);
                    return socket;
                });
                assertThat(get(head)).isEqualTo("hello");

                try (Connection connection = toUser(socket)) {
                    ByteBuffer rest = ByteBuffer.allocate(6);
                    while (rest.hasRemaining()) {
                        assertThat(connection.read(rest)).isPositive();
                    }
                    assertThat(US_ASCII.decode(rest.flip()).toString()).isEqualTo(", user");
                }
            }
        }

        @Test
        @Tag("sweep")
        void ownersMayChangeAnyNumberOfTimesWhileBytesFlow() throws Exception {
            try (Origin origin = Origin.echo()) {
                SocketChannel channel = SocketChannel.open(origin.address());
                Connection connection = SocketConnection.of(channel);
                for (int i = 0; i < 200; i++) {
                    assertRoundTrip(connection, "user " + i);
                    String question = "loop " + i;
                    CompletableFuture<String> answer = new CompletableFuture<>();
                    LoopSocket socket = onLoop(channel);
                    onLoop(() -> {
                        socket.handler(new Reader(socket, question.length(), answer));
                        socket.interest(SelectionKey.OP_READ);
                        return socket.write(ByteBuffer.wrap(question.getBytes(US_ASCII)));
                    });
                    assertThat(get(answer)).isEqualTo(question);
                    connection = toUser(socket);
                }
                connection.close();
            }
        }

        @Test
        void closedConnectionFailsToPass() throws Exception {
            try (Origin origin = Origin.discard()) {
                LoopSocket socket = onLoop(SocketChannel.open(origin.address()));
                onLoop(() -> {
                    socket.close();
                    return socket;
                });

                assertThatThrownBy(() -> toUser(socket)).hasCauseInstanceOf(ClosedChannelException.class);
            }
        }

        @Test
        void connectionOfALoopThatEndsStillPasses() throws Exception {
            try (Origin origin = Origin.echo()) {
                LoopSocket socket = onLoop(SocketChannel.open(origin.address()));
                CompletableFuture<Connection> user = new CompletableFuture<>();
                onLoop(() -> {
                    socket.handler(new Reader(socket, 1, new CompletableFuture<>()));
                    socket.interest(SelectionKey.OP_READ);
                    socket.release(user::complete, user::completeExceptionally);
                    return socket;
                });
                loops.stop(TimeUnit.SECONDS.toNanos(20));

                try (Connection connection = get(user)) {
                    assertRoundTrip(connection, "outlived it");
                }
            }
        }

        private LoopSocket onLoop(SocketChannel channel) throws Exception {
            channel.configureBlocking(false);
            return onLoop(() -> new LoopSocket(loop, channel));
        }

        private <T> T onLoop(Task<T> task) throws Exception {
            CompletableFuture<T> done = new CompletableFuture<>();
            loop.execute(() -> {
                try {
                    done.complete(task.run());
                } catch (Throwable e) {
                    done.completeExceptionally(e);
                }
            });
            return get(done);
        }

        private Connection toUser(LoopSocket socket) throws Exception {
            CompletableFuture<Connection> user = new CompletableFuture<>();
            loop.execute(() -> socket.release(user::complete, user::completeExceptionally));
            return get(user);
        }
    }

    private interface Task<T> {
        T run() throws Exception;
    }

    /** Reads so many bytes and no more. */
    private static final class Reader implements ChannelEvents {
        private final LoopSocket socket;
        private final ByteBuffer bytes;
        private final CompletableFuture<String> text;

        Reader(LoopSocket socket, int count, CompletableFuture<String> text) {
            this.socket = socket;
            this.bytes = ByteBuffer.allocate(count);
            this.text = text;
        }

        @Override
        public void ready(int readyOps) {
            try {
                socket.read(bytes);
                if (!bytes.hasRemaining()) {
                    socket.interest(0);
                    text.complete(US_ASCII.decode(bytes.flip()).toString());
                }
            } catch (IOException e) {
                text.completeExceptionally(e);
            }
        }

        @Override
        public void abandoned(Throwable cause) {
            text.completeExceptionally(cause);
        }
    }

    @Nested
    class FromAUserToARelay {
        private Broxy broxy;

        @BeforeEach
        void start() {
            broxy = Broxy.builder().eventLoops(2).build();
        }

        @AfterEach
        void stop() {
            broxy.close();
        }

        @Test
        void dialedConnectionsAreRelayedAfterWhatTheirUserHasRead() throws Exception {
            assertRelayed(broxy.directDialer().build()::dial);
        }

        @Test
        void connectionsOverStreamsAreRelayedToo() throws Exception {
            assertRelayed(target -> broxy.asConnection(new Socket(target.address(), target.port())));
        }

        private void assertRelayed(Dialing dialer) throws Exception {
            byte[] there = Payload.bytes(2 << 20, 1);
            byte[] back = Payload.bytes(3 << 20, 2);
            CountDownLatch received = new CountDownLatch(2);
            try (Origin one = Origin.start(peer -> {
                        peer.send("for the user").send(there).shutdownOutput();
                        assertThat(peer.read(back.length)).isEqualTo(back);
                        peer.expectEnd();
                        received.countDown();
                    });
                    Origin other = Origin.start(peer -> {
                        peer.send(back).shutdownOutput();
                        assertThat(peer.read(there.length)).isEqualTo(there);
                        peer.expectEnd();
                        received.countDown();
                    })) {
                Connection a = dialer.dial(one.target());
                Connection b = dialer.dial(other.target());
                ByteBuffer first = ByteBuffer.allocate(12);
                while (first.hasRemaining()) {
                    assertThat(a.read(first)).isPositive();
                }

                Tunnel relay = broxy.copier().relay(a, b);

                for (Connection given : new Connection[] {a, b}) {
                    assertThatThrownBy(() -> given.read(ByteBuffer.allocate(1)))
                            .isInstanceOf(IOException.class)
                            .hasMessageContaining("given away");
                    assertThat(given.isOpen()).isFalse();
                    given.close();
                }
                TunnelResult result = get(relay.completion());
                assertThat(result.reason()).isEqualTo(CloseReason.FINISHED);
                assertThat(result.bytesToOrigin()).isEqualTo(there.length);
                assertThat(result.bytesToClient()).isEqualTo(back.length);
                assertThat(received.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isTrue();
            }
        }

        @Test
        void connectionThatWasGivenAwayStaysWithItsNewOwner() throws Exception {
            try (Origin origin = Origin.echo()) {
                Connection a = broxy.directDialer().build().dial(origin.target());
                Connection b = broxy.directDialer().build().dial(origin.target());
                Tunnel relay = broxy.copier().relay(a, b);

                try (Connection c = broxy.directDialer().build().dial(origin.target())) {
                    assertThatThrownBy(() -> broxy.copier().relay(c, a)).isInstanceOf(IllegalStateException.class);
                    assertRoundTrip(c, "still mine");
                }
                assertThat(relay.completion()).isNotDone();
                relay.close();
                get(relay.completion());
            }
        }
    }

    private interface Dialing {
        Connection dial(HostPort target) throws IOException;
    }

    private static void assertRoundTrip(Connection connection, String text) throws IOException {
        connection.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
        ByteBuffer back = ByteBuffer.allocate(text.length());
        while (back.hasRemaining()) {
            assertThat(connection.read(back)).isPositive();
        }
        assertThat(US_ASCII.decode(back.flip()).toString()).isEqualTo(text);
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }
}
