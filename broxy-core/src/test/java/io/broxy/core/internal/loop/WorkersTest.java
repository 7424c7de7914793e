package io.broxy.core.internal.loop;

import static io.broxy.core.internal.loop.LoopDriver.patiently;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.testkit.LeakCheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the executors beside the loops: which threads they have, and how they end. */
@ExtendWith(LeakCheck.class)
class WorkersTest {
    private final Workers workers = new Workers();
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger interrupted = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();

    @AfterEach
    void stop() {
        goOn.countDown();
        assertThat(workers.stop(LoopDriver.PATIENCE_NANOS)).isTrue();
    }

    /** Waits for the word to go on, or for an interrupt. */
    private void work() {
        running.incrementAndGet();
        try {
            goOn.await();
        } catch (InterruptedException e) {
            interrupted.incrementAndGet();
        } finally {
            running.decrementAndGet();
            ended.incrementAndGet();
        }
    }

    /** Does not mind interrupts, as a look-up of the JDK does not. */
    private void workStubbornly() {
        running.incrementAndGet();
        while (goOn.getCount() > 0) {
            try {
                goOn.await();
            } catch (InterruptedException e) {
                interrupted.incrementAndGet();
            }
        }
        running.decrementAndGet();
    }

    private void lookUp(Runnable work) {
        workers.lookUps()
                .submit(
                        workers.lookUps().task(work, rejection -> {
                            throw rejection;
                        }),
                        null);
    }

    private static boolean hasVirtualThreads() {
        return VirtualThreads.factory("test-") != null;
    }

    private static String nameIn(ExecutorService executor) throws Exception {
        return executor.submit(() -> Thread.currentThread().getName() + " daemon "
                        + Thread.currentThread().isDaemon())
                .get(LoopDriver.PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    }

    @Test
    void eachExecutorHasDaemonThreadsWithItsName() throws Exception {
        CompletableFuture<String> lookUp = new CompletableFuture<>();
        lookUp(() -> lookUp.complete(Thread.currentThread().getName() + " daemon "
                + Thread.currentThread().isDaemon()));
        assertThat(lookUp)
                .succeedsWithin(Duration.ofNanos(LoopDriver.PATIENCE_NANOS))
                .asString()
                .matches("broxy-resolver-\\d+ daemon true");
        assertThat(nameIn(workers.tls())).matches("broxy-tls-\\d+ daemon true");
        assertThat(nameIn(workers.closers())).matches("broxy-closer-\\d+ daemon true");
        assertThat(nameIn(workers.callbacks())).matches("broxy-callback-\\d+ daemon true");
        assertThat(nameIn(workers.completions())).matches("broxy-completion-\\d+ daemon true");
        assertThat(nameIn(workers.streams())).matches("broxy-stream-\\d+ daemon true");
    }

    @Test
    void lookUpsOfTheJdkHavePlatformThreadsAndWaitBeyondTheirNumber() {
        for (int i = 0; i < 3 * Workers.LOOK_UPS; i++) {
            lookUp(() -> {
                assertThat(VirtualThreads.isVirtual(Thread.currentThread())).isFalse();
                work();
            });
        }
        patiently().until(() -> running.get() == Workers.LOOK_UPS);
        assertThat(LeakCheck.engineThreads()).hasSize(Workers.LOOK_UPS);
        assertThat(workers.lookUpStats().waiting()).isEqualTo(2 * Workers.LOOK_UPS);

        goOn.countDown();
        patiently().until(() -> ended.get() == 3 * Workers.LOOK_UPS);
    }

    @Test
    void lookUpsOfUsersHaveVirtualThreadsWhereThereAre() {
        for (int i = 0; i < Workers.VIRTUAL_LOOK_UPS; i++) {
            LookUpThreads.Task task = workers.userLookUps()
                    .task(
                            () -> {
                                assertThat(VirtualThreads.isVirtual(Thread.currentThread()))
                                        .isEqualTo(hasVirtualThreads());
                                work();
                            },
                            rejection -> {});
            workers.userLookUps().submit(task, null);
        }

        patiently().until(() -> running.get() == (hasVirtualThreads() ? Workers.VIRTUAL_LOOK_UPS : Workers.LOOK_UPS));
    }

    @Test
    void userCodeHasVirtualThreadsOrABoundedNumberOfOthersAsLongAsItMoves() {
        for (ExecutorService executor : List.of(workers.callbacks(), workers.completions())) {
            for (int i = 0; i < Workers.USER_CODE_THREADS; i++) {
                executor.execute(this::work);
            }
        }

        patiently().until(() -> running.get() == 2 * Workers.USER_CODE_THREADS);
        assertThat(LeakCheck.engineThreads()).hasSize(hasVirtualThreads() ? 0 : 2 * Workers.USER_CODE_THREADS);
    }

    @Test
    void tlsHasAThreadForEachProcessorAndMoreWhereItsTasksBlock() throws Exception {
        for (int i = 0; i < Workers.USER_CODE_THREADS; i++) {
            workers.tls().submit(() -> {}).get();
        }
        assertThat(LeakCheck.engineThreads())
                .filteredOn(name -> !name.contains("-watch-"))
                .hasSizeLessThanOrEqualTo(Workers.TLS_THREADS);

        for (int i = 0; i < Workers.USER_CODE_THREADS; i++) {
            workers.tls().execute(this::work);
        }
        patiently().until(() -> running.get() == Workers.USER_CODE_THREADS);
    }

    /** Each task waits for one that is queued after it, like a user's dialer that dials with another one. */
    @Test
    void noTaskWaitsForeverBehindOneThatWaitsForIt() {
        for (ExecutorService executor :
                List.of(workers.callbacks(), workers.completions(), workers.tls(), workers.closers())) {
            List<CompletableFuture<Integer>> all = new ArrayList<>();
            for (int i = 0; i < Workers.USER_CODE_THREADS; i++) {
                all.add(CompletableFuture.supplyAsync(() -> nested(executor, 5), executor));
            }

            assertThat(all)
                    .allSatisfy(one -> assertThat(one)
                            .succeedsWithin(Duration.ofNanos(LoopDriver.PATIENCE_NANOS))
                            .isEqualTo(5));
        }
    }

    private static int nested(ExecutorService executor, int levels) {
        return levels == 0
                ? 0
                : 1
                        + CompletableFuture.supplyAsync(() -> nested(executor, levels - 1), executor)
                                .join();
    }

    @Test
    void dialersThatWaitForFuturesDoNotHoldUpTheirCompletion() {
        CompletableFuture<String> future = new CompletableFuture<>();
        AtomicInteger got = new AtomicInteger();
        for (int i = 0; i < 2 * Workers.USER_CODE_THREADS; i++) {
            workers.callbacks().execute(() -> {
                future.join();
                got.incrementAndGet();
            });
        }
        workers.completions().execute(() -> future.complete("connected"));

        patiently().untilAsserted(() -> assertThat(got).hasValue(2 * Workers.USER_CODE_THREADS));
    }

    @Test
    void noKindHoldsUpAnother() throws Exception {
        for (int i = 0; i < 2 * Workers.USER_CODE_THREADS; i++) {
            lookUp(this::work);
            workers.callbacks().execute(this::work);
        }

        assertThat(nameIn(workers.completions())).startsWith("broxy-completion-");
        assertThat(nameIn(workers.streams())).startsWith("broxy-stream-");
    }

    @Test
    void everyStreamGetsItsThreadForItsAdmissionBoundsThem() {
        for (int i = 0; i < 100; i++) {
            workers.streams().execute(this::work);
        }

        patiently().untilAsserted(() -> assertThat(running).hasValue(100));
    }

    @Test
    void anEndInterruptsThoseAtWorkAndLeavesNoThread() {
        lookUp(this::work);
        workers.streams().execute(this::work);
        patiently().until(() -> running.get() == 2);

        assertThat(workers.stop(LoopDriver.PATIENCE_NANOS)).isTrue();

        assertThat(interrupted).hasValue(2);
        assertThat(LeakCheck.engineThreads()).isEmpty();
    }

    @Test
    void userCodeIsInterruptedAfterHalfOfTheTime() {
        workers.callbacks().execute(this::work);
        workers.completions().execute(this::work);
        patiently().until(() -> running.get() == 2);

        workers.stop(TimeUnit.MILLISECONDS.toNanos(100));

        patiently().until(() -> interrupted.get() == 2);
        assertThat(LeakCheck.engineThreads()).isEmpty();
    }

    @Test
    void whatIsToBeCompletedIsCompletedAtTheEnd() {
        List<Integer> completed = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            int number = i;
            workers.completions().execute(() -> completed.add(number));
        }

        assertThat(workers.stop(LoopDriver.PATIENCE_NANOS)).isTrue();

        assertThat(completed).hasSize(1_000);
    }

    @Test
    void futuresAreCompletedEvenBehindHangingCallbacks() {
        int waiting = 2 * Workers.USER_CODE_THREADS;
        AtomicInteger completed = new AtomicInteger();
        for (int i = 0; i < Workers.USER_CODE_THREADS; i++) {
            workers.completions().execute(this::work);
        }
        patiently().until(() -> running.get() == Workers.USER_CODE_THREADS);
        for (int i = 0; i < waiting; i++) {
            workers.completions().execute(completed::incrementAndGet);
        }

        workers.stop(TimeUnit.MILLISECONDS.toNanos(200));

        assertThat(completed).hasValue(waiting);
        patiently().until(() -> interrupted.get() == Workers.USER_CODE_THREADS);
    }

    @Test
    void callbacksOfThreadsThatEndAreStillRun() {
        AtomicInteger completed = new AtomicInteger();
        workers.streams().execute(() -> {
            work();
            workers.completions().execute(completed::incrementAndGet);
        });
        patiently().until(() -> running.get() == 1);

        assertThat(workers.stop(LoopDriver.PATIENCE_NANOS)).isTrue();

        assertThat(completed).hasValue(1);
    }

    @Test
    void aThreadThatDoesNotEndIsReportedAndHoldsUpNoOther() {
        lookUp(this::workStubbornly);
        workers.streams().execute(this::work);
        patiently().until(() -> running.get() == 2);

        assertThat(workers.stop(TimeUnit.MILLISECONDS.toNanos(50))).isFalse();

        patiently().until(() -> running.get() == 1);
        assertThat(workers.completions().isTerminated()).isTrue();
        assertThat(workers.callbacks().isTerminated()).isTrue();
    }

    @Test
    void anInterruptedCallerWaitsAndIsStillInterruptedThen() {
        lookUp(this::work);
        patiently().until(() -> running.get() == 1);
        Thread.currentThread().interrupt();

        boolean ended = workers.stop(LoopDriver.PATIENCE_NANOS);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(ended).isTrue();
        assertThat(LeakCheck.engineThreads()).isEmpty();
    }

    @Test
    void afterTheEndTasksAreRejected() {
        workers.stop(LoopDriver.PATIENCE_NANOS);

        for (ExecutorService executor :
                List.of(workers.callbacks(), workers.completions(), workers.tls(), workers.streams())) {
            assertThatThrownBy(() -> executor.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        }
        CompletableFuture<Throwable> rejection = new CompletableFuture<>();
        LookUpThreads.Task late = workers.lookUps().task(this::work, rejection::complete);
        workers.lookUps().submit(late, null);
        assertThat(rejection).isCompleted();
    }
}
