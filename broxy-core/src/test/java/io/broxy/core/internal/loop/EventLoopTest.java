package io.broxy.core.internal.loop;

import static io.broxy.core.internal.loop.LoopDriver.patiently;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.LeakCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies tasks and timers; {@link EventLoopChannelsTest} has the channels, {@link EventLoopEndTest} the end. */
@ExtendWith(LeakCheck.class)
class EventLoopTest {
    private final AtomicLong looks = new AtomicLong();
    private LoopDriver driver;
    private EventLoop loop;

    @BeforeEach
    void start() throws Exception {
        driver = new LoopDriver(() -> {
            looks.incrementAndGet();
            return System.nanoTime();
        });
        loop = driver.loop();
    }

    @AfterEach
    void stop() {
        driver.close();
    }

    @Test
    void tasksRunOnTheLoopsThreadWhichKnowsItsLoop() throws Exception {
        assertThat(driver.call(loop::inLoop)).isTrue();
        assertThat(driver.call(EventLoop::current)).isSameAs(loop);
        assertThat(driver.call(() -> Thread.currentThread().getName())).isEqualTo("broxy-loop-1");
        assertThat(driver.call(() -> Thread.currentThread().isDaemon())).isTrue();
        assertThat(loop.inLoop()).isFalse();
        assertThat(EventLoop.current()).isNull();
    }

    @Test
    void tasksOfManyThreadsAllRunEachThreadsInTheirOrder() throws Exception {
        int threads = 8;
        int each = 5_000;
        List<List<Integer>> ran = new ArrayList<>();
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            List<Integer> own = new ArrayList<>(each);
            ran.add(own);
            senders.add(new Thread(() -> {
                for (int n = 0; n < each; n++) {
                    int number = n;
                    loop.execute(() -> own.add(number));
                }
            }));
        }
        senders.forEach(Thread::start);
        for (Thread sender : senders) {
            sender.join();
        }
        driver.turn();

        List<Integer> inOrder = IntStream.range(0, each).boxed().toList();
        assertThat(ran).allSatisfy(own -> assertThat(own).isEqualTo(inOrder));
    }

    @Test
    @Tag("sweep")
    void noWakeUpIsLostHoweverShortTheSleep() throws Exception {
        AtomicInteger ran = new AtomicInteger();
        for (int i = 0; i < 5_000; i++) {
            driver.call(ran::incrementAndGet); // the loop goes to sleep, or is about to
        }
        assertThat(ran).hasValue(5_000);
    }

    @Test
    void tasksThatComeWhileTheLoopIsAtWorkAreRunInOneTurn() throws Exception {
        CountDownLatch atWork = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        loop.execute(() -> {
            atWork.countDown();
            awaitQuietly(goOn);
        });
        atWork.await();
        long before = looks.get();
        List<Long> turns = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            loop.execute(() -> turns.add(loop.nowNanos()));
        }
        CompletableFuture<Long> after = new CompletableFuture<>();
        loop.execute(() -> after.complete(looks.get()));
        goOn.countDown();

        assertThat(after.get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS) - before)
                .as("looks at the clock, of which each turn has one")
                .isEqualTo(1);
        assertThat(turns).hasSize(1_000).containsOnly(turns.get(0));
    }

    @Test
    void aTaskThatMakesAnotherKeepsNeitherTimersNorChannelsWaiting() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger runs = new AtomicInteger();
        Runnable endless = new Runnable() {
            @Override
            public void run() {
                runs.incrementAndGet();
                if (!over.get()) {
                    loop.execute(this);
                }
            }
        };
        CompletableFuture<Void> timer = new CompletableFuture<>();
        loop.execute(endless);
        driver.call(() -> loop.timers().schedule(loop.nowNanos() + 1, () -> timer.complete(null)));

        timer.get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        over.set(true);
        assertThat(runs).hasPositiveValue();
    }

    @Test
    void aThrowingTaskIsLoggedOnceAndTheLoopGoesOn() throws Exception {
        try (CapturedLog log = CapturedLog.start()) {
            for (Throwable failure : List.of(
                    new IllegalStateException("thrown by task"),
                    new AssertionError("thrown by task"),
                    new OutOfMemoryError("thrown by task"),
                    new StackOverflowError("thrown by task"))) {
                loop.execute(() -> sneakyThrow(failure));
            }
            driver.turn();

            assertThat(log.lines("a task of the event loop failed")).hasSize(4);
            assertThat(log.lines(": thrown by task")).hasSize(4);
        }
    }

    @Test
    void aThrowingTimerIsLoggedOnceAndTheOthersFire() throws Exception {
        List<String> fired = new ArrayList<>();
        try (CapturedLog log = CapturedLog.start()) {
            driver.call(() -> {
                loop.timers().schedule(loop.nowNanos() - 1, () -> {
                    fired.add("thrower");
                    throw new IllegalStateException("thrown by timer");
                });
                loop.timers().schedule(loop.nowNanos(), () -> fired.add("other"));
                return 0;
            });
            driver.turn();

            assertThat(fired).containsExactly("thrower", "other");
            assertThat(log.lines("thrown by timer")).hasSize(1);
        }
    }

    @Test
    void aLoggerThatFailsTooDoesNotEndTheLoop() throws Exception {
        class Unprintable extends IllegalStateException {
            private static final long serialVersionUID = 1L;

            @Override
            public void printStackTrace(java.io.PrintStream to) {
                throw new OutOfMemoryError("thrown while logging");
            }
        }
        loop.execute(() -> {
            throw new Unprintable();
        });

        assertThat(driver.call(() -> "on")).as("the next task").isEqualTo("on");
    }

    @Test
    void anInterruptThatATaskLeavesBehindIsNotKeptForSelectWouldNotWaitAnyMore() throws Exception {
        loop.execute(() -> Thread.currentThread().interrupt());
        driver.turn();

        assertThat(driver.call(() -> Thread.currentThread().isInterrupted())).isFalse();
    }

    @Test
    void aTimerWakesASleepingLoop() throws Exception {
        CompletableFuture<Long> fired = new CompletableFuture<>();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20);
        driver.call(() -> loop.timers().schedule(deadline, () -> fired.complete(loop.nowNanos())));

        assertThat(fired.get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS) - deadline)
                .isNotNegative();
    }

    @Test
    void aTimerInTheFarFutureIsNoReasonToSpin() throws Exception {
        driver.call(() -> loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE / 2, () -> {}));
        driver.call(() -> loop.timers().schedule(loop.nowNanos() + Long.MAX_VALUE - 5, () -> {}));
        try (CapturedLog log = CapturedLog.start()) {
            driver.turn();

            assertThat(log.lines("selecting failed")).isEmpty();
        }
    }

    @Test
    void aTimerThatIsRescheduledAtOnceKeepsNoTaskWaiting() throws Exception {
        AtomicInteger fired = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        driver.call(() -> {
            Runnable[] task = new Runnable[1];
            task[0] = () -> {
                fired.incrementAndGet();
                if (!over.get()) {
                    loop.timers().schedule(loop.nowNanos(), task[0]);
                }
            };
            return loop.timers().schedule(loop.nowNanos(), task[0]);
        });
        driver.turn(); // tasks get their turn
        patiently().untilAsserted(() -> assertThat(fired).hasValueGreaterThan(10));
        over.set(true);
        driver.turn();
    }

    @Test
    void timersFollowTheEnginesClock() throws Exception {
        LoopDriver.Clock clock = new LoopDriver.Clock();
        try (LoopDriver own = new LoopDriver(clock)) {
            List<String> fired = new ArrayList<>();
            own.call(() -> {
                long now = own.loop().nowNanos();
                own.loop().timers().schedule(now + TimeUnit.HOURS.toNanos(1), () -> fired.add("an hour"));
                return own.loop().timers().schedule(now + TimeUnit.HOURS.toNanos(2), () -> fired.add("two hours"));
            });
            own.turn();
            assertThat(fired).isEmpty();

            clock.advanceMillis(TimeUnit.HOURS.toMillis(1));
            own.turn();
            assertThat(fired).containsExactly("an hour");
        }
    }

    @Test
    void whatIsTheLoopsOwnIsForItsThreadOnly() {
        assertThatThrownBy(loop::timers).isInstanceOf(AssertionError.class);
        assertThatThrownBy(loop::buffers).isInstanceOf(AssertionError.class);
        assertThatThrownBy(loop::nowNanos).isInstanceOf(AssertionError.class);
    }

    @Test
    void afterTheEndTasksAreRejected() {
        driver.stop();

        assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            if (!latch.await(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS)) {
                throw new AssertionError("nothing let the loop go on");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> void sneakyThrow(Throwable failure) throws T {
        throw (T) failure;
    }
}
