package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how a loop waits on sockets of the engine's own. */
@ExtendWith(LeakCheck.class)
class EpollPollerTest {
    private EpollRig rig;

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() throws Exception {
        rig = new EpollRig();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    /** Counts its events. */
    private static final class Counter implements ChannelEvents {
        final AtomicInteger events = new AtomicInteger();
        final AtomicInteger abandoned = new AtomicInteger();

        @Override
        public void ready(int readyOps) {
            events.incrementAndGet();
        }

        @Override
        public void abandoned(Throwable cause) {
            abandoned.incrementAndGet();
        }
    }

    @Test
    void everyTaskOfAnotherThreadEndsAWait() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            rig.run(() -> {}); // waits for it, so the loop goes to sleep again
        }
    }

    /** Otherwise the kernel would have reported that the socket is writable. */
    @Test
    void aChangeThatIsTakenBackWithinATurnIsNotPassedOn() throws Exception {
        EpollRig.Pair pair = rig.pair();
        Counter counter = new Counter();
        rig.run(() -> {
            pair.near().handler(counter);
            pair.near().interest(SelectionKey.OP_WRITE);
            pair.near().interest(0);
            pair.near().interest(SelectionKey.OP_WRITE);
            pair.near().interest(0);
        });
        rig.turn();
        rig.turn();

        assertThat(counter.events).hasValue(0);
    }

    /** Both are ready in the same turn; the first closes the other, whose number the next socket gets. */
    @Test
    void anEventOfAFormerMemberDoesNotReachTheNextOneOfItsNumber() throws Exception {
        EpollRig.Pair one = rig.pair();
        EpollRig.Pair two = rig.pair();
        AtomicInteger heirs = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        Counter heirsCounter = new Counter();
        class Closing implements ChannelEvents {
            private final EpollSocket other;

            Closing(EpollSocket other) {
                this.other = other;
            }

            @Override
            public void ready(int readyOps) {
                if (!other.isOpen()) {
                    wrong.incrementAndGet();
                    return;
                }
                try {
                    int number = other.descriptor();
                    other.close();
                    (other == one.near() ? two : one).near().interest(0);
                    int heir = withNumber(number);
                    heirs.incrementAndGet();
                    EpollSocket socket = new EpollSocket(
                            rig.loop, heir, (InetSocketAddress) one.near().remoteAddress());
                    socket.handler(heirsCounter);
                    socket.interest(SelectionKey.OP_READ);
                    socket.interest(0);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public void abandoned(Throwable cause) {}
        }
        one.far().send("x");
        two.far().send("x");
        rig.run(() -> {
            one.near().handler(new Closing(two.near()));
            two.near().handler(new Closing(one.near()));
            one.near().interest(SelectionKey.OP_READ);
            two.near().interest(SelectionKey.OP_READ);
        });
        EpollRig.await().until(() -> heirs.get() == 1);
        rig.turn();

        assertThat(wrong).hasValue(0);
        assertThat(heirsCounter.events).hasValue(0);
    }

    /** A new socket that has this number, which is free. */
    private int withNumber(int number) throws IOException {
        Libc libc = rig.poller.libc;
        List<Integer> lower = new ArrayList<>();
        int fd;
        while ((fd = Descriptors.socket(libc, true)) < number) {
            lower.add(fd);
        }
        lower.forEach(libc::close);
        assertThat(fd).isEqualTo(number);
        return fd;
    }

    @Test
    void manyMembersAreWatchedAtOnce() throws Exception {
        int count = 300; // more descriptors than there is room for at first
        List<EpollRig.Pair> pairs = new ArrayList<>();
        List<Counter> counters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            EpollRig.Pair pair = rig.pair();
            Counter counter = new Counter();
            pairs.add(pair);
            counters.add(counter);
            rig.run(() -> {
                pair.near().handler(counter);
                pair.near().interest(SelectionKey.OP_READ);
            });
        }
        assertThat(rig.poller.sockets()).isEqualTo(count);
        assertThat(rig.poller.channels()).isEqualTo(count);

        for (int i = 0; i < count; i += 2) {
            pairs.get(i).far().send("x");
        }
        for (int i = 0; i < count; i++) {
            Counter counter = counters.get(i);
            if (i % 2 == 0) {
                EpollRig.await().until(() -> counter.events.get() > 0);
            }
            EpollSocket near = pairs.get(i).near();
            rig.run(near::close);
            assertThat(counter.events.get() > 0).isEqualTo(i % 2 == 0);
        }
        assertThat(rig.poller.sockets()).isZero();
    }

    @Test
    void theEndOfTheLoopAbandonsEveryMemberOnce() throws Exception {
        List<Counter> counters = new ArrayList<>();
        List<Peer> peers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            EpollRig.Pair pair = rig.pair();
            Counter counter = new Counter();
            counters.add(counter);
            peers.add(pair.far());
            rig.run(() -> pair.near().handler(counter));
        }

        assertThat(rig.loops.stop(EpollRig.PATIENCE.toNanos())).isTrue();

        assertThat(counters).allSatisfy(counter -> assertThat(counter.abandoned).hasValue(1));
        for (Peer peer : peers) {
            peer.expectEnd();
        }
        assertThat(rig.poller.sockets()).isZero();
    }

    /** Otherwise the eight bytes would go to what has the number by then, here one end of a pipe. */
    @Test
    void aWakeupBehindTheCloseWritesNothing() throws Exception {
        EpollPoller poller = new EpollPoller();
        poller.wakeup();
        poller.close();
        Libc libc = new Libc();
        KernelPipes pipes = new KernelPipes(libc);
        List<KernelPipes.KernelPipe> heirs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            heirs.add(pipes.take());
        }

        poller.wakeup();

        for (KernelPipes.KernelPipe pipe : heirs) {
            libc.scratch.putInt(0, pipe.source()).putShort(4, (short) 1).putShort(6, (short) 0); // POLLIN
            assertThat(libc.call(Libc.POLL, libc.scratchAddress, 1, 0))
                    .as("something to read")
                    .isZero();
            pipes.close(pipe);
        }
    }

    @Test
    void wakeupsOfManyThreadsRaceWithTheClose() throws Exception {
        for (int round = 0; round < 100; round++) {
            EpollPoller poller = new EpollPoller();
            AtomicBoolean over = new AtomicBoolean();
            CountDownLatch begun = new CountDownLatch(3);
            List<CompletableFuture<?>> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                threads.add(Background.run(() -> {
                    begun.countDown();
                    while (!over.get()) {
                        poller.wakeup();
                    }
                }));
            }
            begun.await();
            poller.close();
            KernelPipes pipes = new KernelPipes(new Libc());
            List<KernelPipes.KernelPipe> heirs = List.of(pipes.take(), pipes.take());
            over.set(true);
            for (CompletableFuture<?> thread : threads) {
                thread.get();
            }
            Libc libc = new Libc();
            for (KernelPipes.KernelPipe pipe : heirs) {
                libc.scratch.putInt(0, pipe.source()).putShort(4, (short) 1).putShort(6, (short) 0);
                assertThat(libc.call(Libc.POLL, libc.scratchAddress, 1, 0)).isZero();
                pipes.close(pipe);
            }
        }
    }
}
