package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies what happens to channels, timers and tasks when a loop ends. */
@ExtendWith(LeakCheck.class)
class EventLoopEndTest {
    private final LoopDriver driver = driver();
    private final EventLoop loop = driver.loop();
    private final List<String> events = new ArrayList<>();

    private static LoopDriver driver() {
        try {
            return new LoopDriver();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private record Recording(List<String> events, Runnable whenAbandoned) implements ChannelEvents {
        @Override
        public void ready(int readyOps) {}

        @Override
        public void abandoned(Throwable cause) {
            events.add("abandoned: " + cause.getMessage());
            whenAbandoned.run();
        }
    }

    private SelectionKey register(SocketChannel channel, Runnable whenAbandoned) throws IOException {
        return loop.register(channel, SelectionKey.OP_READ, new Recording(events, whenAbandoned));
    }

    @Test
    void everyChannelIsAbandonedAndClosed() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null);
                Peer first = Peer.connect(server.socket().getLocalPort());
                Peer second = Peer.connect(server.socket().getLocalPort());
                SocketChannel one = server.accept();
                SocketChannel other = server.accept()) {
            one.configureBlocking(false);
            other.configureBlocking(false);
            driver.call(() -> register(one, () -> {}));
            driver.call(() -> register(other, () -> {
                throw new IllegalStateException("thrown when abandoned");
            }));

            driver.stop();

            assertThat(events)
                    .containsExactly("abandoned: the event loop has stopped", "abandoned: the event loop has stopped");
            first.expectEnd();
            second.expectEnd();
        }
    }

    @Test
    void aChannelThatItsHandlerKeepsRegisteringIsClosedNonetheless() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null);
                Peer peer = Peer.connect(server.socket().getLocalPort());
                SocketChannel channel = server.accept();
                CapturedLog log = CapturedLog.start()) {
            channel.configureBlocking(false);
            driver.call(() -> {
                registerForEver(channel);
                return 0;
            });

            driver.stop();

            peer.expectEnd();
            assertThat(log.lines("its tasks keep creating new ones")).hasSize(1);
        }
    }

    private void registerForEver(SocketChannel channel) {
        SelectionKey[] key = new SelectionKey[1];
        try {
            key[0] = register(channel, () -> loop.release(key[0], () -> registerForEver(channel)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void tasksTimersAndReleasesThatAreLeftRunAndTheirOrderIsSound() throws Exception {
        CountDownLatch atWork = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null);
                Peer peer = Peer.connect(server.socket().getLocalPort());
                SocketChannel channel = server.accept()) {
            channel.configureBlocking(false);
            SelectionKey key = driver.call(() -> register(channel, () -> {}));
            loop.execute(() -> {
                loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> events.add("timer"));
                loop.release(key, () -> events.add("released: " + channel.isRegistered()));
                atWork.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            atWork.await();
            loop.execute(() -> events.add("task: " + loop.isStopping()));
            loop.stop();
            goOn.countDown();
            driver.stop();

            assertThat(events).containsExactlyInAnyOrder("task: true", "timer", "released: false");
            assertThat(channel.isOpen())
                    .as("a released channel is no longer the loop's")
                    .isTrue();
            peer.send("still there");
        }
    }

    @Test
    void whatIsBegunByWhatEndsEndsToo() throws Exception {
        driver.call(() -> loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> {
            events.add("timer");
            loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> events.add("timer of the timer"));
        }));

        driver.stop();

        assertThat(events).containsExactly("timer", "timer of the timer");
    }

    @Test
    void aTimerThatPlansItselfAnewForEverDoesNotHoldUpTheEnd() throws Exception {
        AtomicInteger fired = new AtomicInteger();
        driver.call(() -> {
            Runnable[] task = new Runnable[1];
            task[0] = () -> {
                fired.incrementAndGet();
                loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, task[0]);
            };
            return loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, task[0]);
        });
        try (CapturedLog log = CapturedLog.start()) {
            driver.stop();

            assertThat(fired).hasPositiveValue();
            assertThat(log.lines("1 timers are dropped")).hasSize(1);
        }
    }

    @Test
    void aTaskThatMakesAnotherGetsARejection() throws Exception {
        driver.call(() -> loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> {
            try {
                loop.execute(() -> events.add("too late"));
            } catch (RejectedExecutionException e) {
                events.add("rejected");
            }
        }));

        driver.stop();

        assertThat(events).containsExactly("rejected");
    }

    @Test
    void theEndSurvivesWhatThrows() throws Exception {
        driver.call(() -> {
            loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> {
                throw new OutOfMemoryError("thrown by timer");
            });
            return loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> events.add("the other"));
        });

        driver.stop();

        assertThat(events).containsExactly("the other");
    }

    @Test
    void theLoopMayBeAskedToEndByItself() throws Exception {
        driver.call(() -> {
            loop.stop();
            return 0;
        });

        driver.stop();
        assertThat(loop.isStopping()).isTrue();
    }

    @RepeatedTest(10)
    @Tag("sweep")
    void aTaskIsRunOrRejectedAndNeverDroppedHoweverItMeetsTheEnd() throws Exception {
        AtomicInteger accepted = new AtomicInteger();
        AtomicInteger ran = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(4);
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            senders.add(new Thread(() -> {
                begun.countDown();
                try {
                    while (true) {
                        loop.execute(ran::incrementAndGet);
                        accepted.incrementAndGet();
                    }
                } catch (RejectedExecutionException e) {
                    // the end
                }
            }));
        }
        senders.forEach(Thread::start);
        begun.await();
        driver.stop();
        for (Thread sender : senders) {
            sender.join();
        }

        assertThat(ran).hasValue(accepted.get());
    }
}
