package io.broxy.core.internal.loop;

import static io.broxy.core.internal.loop.LoopDriver.patiently;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how a loop dispatches readiness, and when it closes and releases channels. */
@ExtendWith(LeakCheck.class)
class EventLoopChannelsTest {
    private LoopDriver driver;
    private EventLoop loop;
    private Peer peer;
    private SocketChannel channel;

    /** The count of LeakCheck; none where the system does not show it. */
    private List<String> descriptorOfChannel;

    @SuppressWarnings("NullAway.Init") // by register()
    private SelectionKey key;

    /** Runs on the loop when the channel is ready. */
    private volatile ThrowingConsumer<SelectionKey> whenReady = key -> {};

    private volatile Consumer<Throwable> whenAbandoned = cause -> {};
    private final CompletableFuture<Throwable> abandoned = new CompletableFuture<>();

    private interface ThrowingConsumer<T> {
        void accept(T value) throws IOException;
    }

    private final class Handler implements ChannelEvents {
        @Override
        public void ready(int readyOps) {
            try {
                whenReady.accept(key);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void abandoned(Throwable cause) {
            abandoned.complete(cause);
            whenAbandoned.accept(cause);
        }
    }

    @BeforeEach
    void start() throws Exception {
        driver = new LoopDriver();
        loop = driver.loop();
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null)) {
            peer = Peer.connect(server.socket().getLocalPort());
            List<String> before = LeakCheck.descriptors();
            channel = server.accept();
            descriptorOfChannel = LeakCheck.openedSince(before);
        }
        channel.configureBlocking(false);
    }

    @AfterEach
    void stop() throws IOException {
        driver.close();
        peer.close();
        channel.close();
    }

    private void register() throws Exception {
        key = driver.call(() -> loop.register(channel, SelectionKey.OP_READ, new Handler()));
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    }

    @Test
    void readinessIsHandledOnTheLoop() throws Exception {
        CompletableFuture<String> read = new CompletableFuture<>();
        whenReady = key -> {
            ByteBuffer buffer = loop.buffers().shared();
            channel.read(buffer);
            byte[] bytes = new byte[buffer.flip().remaining()];
            buffer.get(bytes);
            read.complete(new String(bytes, US_ASCII) + " " + loop.inLoop());
        };
        register();
        peer.send("hello");

        assertThat(get(read)).isEqualTo("hello true");
    }

    @Test
    void aClosedChannelCannotBeRegistered() throws Exception {
        channel.close();

        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                loop.register(channel, SelectionKey.OP_READ, new Handler());
            } catch (IOException e) {
                failure.complete(e);
            }
        });
        assertThat(get(failure)).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void aThrowingHandlerIsLoggedOnceAndAbandonedAndItsChannelIsClosed() throws Exception {
        IllegalStateException failure = new IllegalStateException("thrown by handler");
        whenReady = key -> {
            throw failure;
        };
        try (CapturedLog log = CapturedLog.start()) {
            register();
            peer.send("x");

            assertThat(get(abandoned)).isSameAs(failure);
            patiently().until(() -> !channel.isOpen());
            driver.turn();
            assertThat(log.lines("thrown by handler")).hasSize(1);
        }
    }

    @Test
    void aHandlerThatThrowsAnErrorAndAgainWhenAbandonedLosesItsChannel() throws Exception {
        whenReady = key -> {
            throw new OutOfMemoryError("thrown by handler");
        };
        whenAbandoned = cause -> {
            throw new IllegalStateException("thrown when abandoned");
        };
        try (CapturedLog log = CapturedLog.start()) {
            register();
            peer.send("x");

            patiently().until(() -> !channel.isOpen());
            driver.turn();
            assertThat(log.lines("thrown by handler")).hasSize(1);
            assertThat(log.lines("thrown when abandoned")).hasSize(1);
        }
    }

    @Test
    void aFailureOfOneChannelLeavesTheOthersAlone() throws Exception {
        CompletableFuture<String> result = new CompletableFuture<>();
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null)) {
            server.configureBlocking(false);
            driver.call(() -> loop.register(server, SelectionKey.OP_ACCEPT, new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    try (SocketChannel accepted = server.accept()) {
                        result.complete("accepted " + accepted.isConnected());
                    } catch (IOException e) {
                        result.completeExceptionally(e);
                    }
                }

                @Override
                public void abandoned(Throwable cause) {
                    result.completeExceptionally(cause);
                }
            }));
            whenReady = key -> {
                throw new IllegalStateException("thrown by handler");
            };
            register();
            peer.send("x");
            get(abandoned);
            try (Peer other = Peer.connect(server.socket().getLocalPort())) {
                other.expectEnd();
            }

            assertThat(get(result)).isEqualTo("accepted true");
        }
    }

    @Test
    void aChannelThatWasClosedBehindTheLoopsBackDoesNoHarm() throws Exception {
        register();
        channel.close();
        peer.expectEnd();

        driver.turn();
    }

    @Test
    void aChannelClosedByItsHandlerIsGoneWithoutAnotherEvent() throws Exception {
        whenReady = loop::close;
        register();
        peer.send("x");

        // With "x" unread, the close is a reset. Nothing else wakes the loop.
        peer.expectReset();
        patiently().untilAsserted(() -> assertThat(descriptorOfChannel).noneMatch(LeakCheck.descriptors()::contains));
        assertThat(channel.isRegistered()).isFalse();
    }

    @Test
    void aClosedChannelIsClosedOnceHoweverOftenItIsAskedFor() throws Exception {
        register();
        driver.call(() -> {
            loop.close(key);
            loop.close(key);
            return 0;
        });

        peer.expectEnd();
        driver.turn();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aReleasedChannelIsFreeOfItsKeyAndOpen() throws Exception {
        CompletableFuture<String> state = new CompletableFuture<>();
        register();
        driver.call(() -> {
            loop.release(key, () -> state.complete(channel.isRegistered() + " " + loop.inLoop()));
            return 0;
        });

        assertThat(get(state)).isEqualTo("false true");
        channel.configureBlocking(true);
        peer.send("after");
        ByteBuffer five = ByteBuffer.allocate(5);
        while (five.hasRemaining()) {
            assertThat(channel.read(five)).isPositive();
        }
    }

    @Test
    void aChannelReleasedByItsHandlerIsFreeOfItsKeyToo() throws Exception {
        CompletableFuture<Boolean> registered = new CompletableFuture<>();
        whenReady = key -> loop.release(key, () -> registered.complete(channel.isRegistered()));
        register();
        peer.send("x");

        assertThat(get(registered)).isFalse();
    }

    @Test
    void aChannelThatIsReleasedByTheReleaseOfAnotherIsFreeOfItsKeyToo() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null)) {
            server.configureBlocking(false);
            CompletableFuture<Boolean> registered = new CompletableFuture<>();
            register();
            driver.call(() -> {
                SelectionKey other = loop.register(server, SelectionKey.OP_ACCEPT, new Handler());
                loop.release(key, () -> loop.release(other, () -> registered.complete(server.isRegistered())));
                return 0;
            });

            assertThat(get(registered)).isFalse();
        }
    }

    @Test
    void aReleasedChannelMayComeBackToTheLoop() throws Exception {
        List<String> events = new ArrayList<>();
        CompletableFuture<Void> again = new CompletableFuture<>();
        whenReady = key -> {
            events.add("first");
            loop.release(
                    key,
                    () -> loop.execute(() -> {
                        whenReady = second -> {
                            events.add("second");
                            again.complete(null);
                            loop.close(this.key);
                        };
                        try {
                            this.key = loop.register(channel, SelectionKey.OP_READ, new Handler());
                        } catch (IOException e) {
                            again.completeExceptionally(e);
                        }
                    }));
        };
        register();
        peer.send("x");

        get(again);
        assertThat(events).containsExactly("first", "second");
    }
}
