package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Specifies how parked threads are woken when their channels are ready. The leak check shows after each test that the
 * selecting thread ends and leaves no descriptor.
 */
@ExtendWith(LeakCheck.class)
class SharedSelectorTest {

    private static SocketChannel connect(Origin origin) throws Exception {
        SocketChannel channel = SocketChannel.open(origin.address());
        channel.configureBlocking(false);
        return channel;
    }

    /** Waits as a parked thread does. */
    private static boolean awaitOver(SharedSelector.Wait wait) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Peer.PATIENCE_MILLIS);
        while (!wait.isOver() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
        }
        return wait.isOver();
    }

    @Test
    void channelThatIsReadyEndsTheWait() throws Exception {
        CountDownLatch waiting = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    waiting.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                    peer.send("x");
                    peer.readAll();
                });
                SocketChannel channel = connect(origin)) {
            SharedSelector.Wait readable = SharedSelector.READABLE.begin(channel);
            SharedSelector.Wait writable = SharedSelector.WRITABLE.begin(channel);
            assertThat(awaitOver(writable)).isTrue();
            assertThat(readable.isOver()).isFalse();
            waiting.countDown();
            assertThat(awaitOver(readable)).isTrue();
            readable.end();
            writable.end();
            assertThat(channel.read(ByteBuffer.allocate(2))).isEqualTo(1);
        }
    }

    @Test
    @Tag("sweep")
    void channelIsWaitedForAgainAndAgainThoughWaitsAreGivenUp() throws Exception {
        try (Origin origin = Origin.echo();
                SocketChannel channel = connect(origin)) {
            for (int i = 0; i < 300; i++) {
                SharedSelector.READABLE.begin(channel).end(); // given up, perhaps before it is seen
                SharedSelector.Wait wait = SharedSelector.READABLE.begin(channel);
                channel.write(ByteBuffer.allocate(1));
                assertThat(awaitOver(wait)).isTrue();
                wait.end();
                await().pollDelay(Duration.ZERO).until(() -> channel.read(ByteBuffer.allocate(1)) == 1);
            }
        }
    }

    @Test
    void closedChannelIsNotWaitedFor() throws Exception {
        try (Origin origin = Origin.discard()) {
            SocketChannel channel = connect(origin);
            channel.close();
            SharedSelector.Wait wait = SharedSelector.READABLE.begin(channel);
            assertThat(awaitOver(wait)).isTrue();
            wait.end();
        }
    }

    @Test
    @Tag("sweep")
    void channelThatIsClosedWhileItIsWaitedForLeavesNoDescriptor() throws Exception {
        try (Origin origin = Origin.discard()) {
            List<SocketChannel> closed = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                SocketChannel channel = connect(origin);
                SharedSelector.Wait wait = SharedSelector.READABLE.begin(channel);
                channel.close();
                wait.end();
                closed.add(channel);
            }
            await().untilAsserted(() -> assertThat(closed).noneMatch(SocketChannel::isRegistered));
        }
    }

    @Test
    @Tag("sweep")
    void manyThreadsWaitAtTheSameTime() throws Exception {
        int count = 200;
        CountDownLatch all = new CountDownLatch(count);
        try (Origin origin = Origin.start(peer -> {
            all.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            peer.send("x");
            peer.readAll();
        })) {
            List<SocketChannel> channels = new ArrayList<>();
            List<CompletableFuture<Boolean>> waits = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                SocketChannel channel = connect(origin);
                channels.add(channel);
                CompletableFuture<Boolean> over = new CompletableFuture<>();
                waits.add(over);
                Thread thread = new Thread(() -> {
                    try {
                        SharedSelector.Wait wait = SharedSelector.READABLE.begin(channel);
                        all.countDown();
                        over.complete(awaitOver(wait));
                        wait.end();
                    } catch (Exception e) {
                        over.completeExceptionally(e);
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }
            for (CompletableFuture<Boolean> over : waits) {
                assertThat(over.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isTrue();
            }
            for (SocketChannel channel : channels) {
                channel.close();
            }
        }
    }
}
