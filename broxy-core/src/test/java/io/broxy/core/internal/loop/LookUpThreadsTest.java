package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.broxy.LookUpStats;
import io.broxy.core.testkit.LeakCheck;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies which look-up runs next when there are more look-ups than threads. */
@ExtendWith(LeakCheck.class)
class LookUpThreadsTest {
    private static final int PLACES = 8;
    private static final int SHARE = PLACES / 4;

    private final Queue<Runnable> started = new ArrayDeque<>();
    private final List<String> run = new ArrayList<>();
    private final List<RejectedExecutionException> rejections = new ArrayList<>();
    private long now = Long.MAX_VALUE - 3;
    private final LookUpThreads threads = threads(started::add);

    private LookUpThreads threads(Executor executor) {
        return new LookUpThreads(executor, PLACES, 3 * PLACES, Runnable::run, () -> now);
    }

    private LookUpThreads.Task submit(String name, String client) {
        LookUpThreads.Task task = threads.task(() -> run.add(name), rejections::add);
        threads.submit(task, client.isEmpty() ? null : client);
        return task;
    }

    private List<LookUpThreads.Task> submit(int count, String client) {
        List<LookUpThreads.Task> tasks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tasks.add(submit(client + i, client));
        }
        return tasks;
    }

    private void endFirst() {
        started.remove().run();
    }

    private void endAll() {
        while (!started.isEmpty()) {
            endFirst();
        }
    }

    private static LookUpStats counts(int queued, int running, int abandoned) {
        return new LookUpStats(queued, running, abandoned, PLACES);
    }

    @Test
    void lookUpsWithoutAClientMayTakeAllPlacesAndFurtherOnesWaitInOrder() {
        submit(PLACES + 2, "");

        assertThat(threads.counts()).isEqualTo(counts(2, PLACES, 0));
        endAll();
        assertThat(run).hasSize(PLACES + 2).element(PLACES).isEqualTo(String.valueOf(PLACES));
        assertThat(threads.counts()).isEqualTo(counts(0, 0, 0));
    }

    @Test
    void aClientHasAQuarterAndAnotherOneIsServedAtOnce() {
        submit(100, "a");
        assertThat(threads.counts()).isEqualTo(counts(100 - SHARE, SHARE, 0));

        submit("b", "b");

        assertThat(threads.counts().running()).isEqualTo(SHARE + 1);
    }

    @Test
    void aShareIsAtLeastOne() {
        LookUpThreads one = new LookUpThreads(started::add, 1, 3, Runnable::run, () -> now);

        one.submit(one.task(() -> run.add("a"), rejections::add), "a");

        assertThat(started).hasSize(1);
    }

    @Test
    void clientsThatWaitTakeTurns() {
        submit(PLACES, "");
        submit(3, "a");
        submit(1, "b");
        submit("own", "");

        endAll();

        assertThat(run.subList(PLACES, run.size())).containsExactly("a0", "b0", "own", "a1", "a2");
    }

    @Test
    void whatIsAbandonedBeforeItsTurnLeavesTheQueue() {
        submit(PLACES, "");
        LookUpThreads.Task gone = submit("gone", "a");
        submit("next", "a");

        threads.abandon(gone);
        assertThat(threads.counts()).isEqualTo(counts(1, PLACES, 0));

        endAll();
        assertThat(run).contains("next").doesNotContain("gone");
    }

    @Test
    void whatIsAbandonedWhileItRunsTakesNoPlaceAndNoShare() {
        List<LookUpThreads.Task> hanging = submit(SHARE, "a");
        submit("next", "a");
        assertThat(threads.counts().waiting()).isEqualTo(1);

        threads.abandon(hanging.get(0));

        assertThat(threads.counts()).isEqualTo(counts(0, SHARE, 1));
        threads.abandon(hanging.get(0)); // once more changes nothing
        assertThat(threads.counts()).isEqualTo(counts(0, SHARE, 1));
        endAll();
        assertThat(run)
                .as("not begun yet when it was abandoned")
                .doesNotContain("a0")
                .contains("next");
        assertThat(threads.counts()).isEqualTo(counts(0, 0, 0));
    }

    @Test
    void aClientThatAbandonsOneAfterTheOtherComesNoFartherThanAQuarterOfAllThreads() {
        for (int i = 0; i < 100; i++) {
            threads.abandon(submit("a" + i, "a"));
        }
        assertThat(started).hasSize(3 * SHARE);

        submit("b", "b");
        assertThat(started).hasSize(3 * SHARE + 1);
    }

    @Test
    void abandonedOnesOfAllComeNoFartherThanTheCap() {
        for (int i = 0; i < 100; i++) {
            threads.abandon(submit("x" + i, ""));
        }

        assertThat(started).hasSize(3 * PLACES);
        submit("waits", "b");
        assertThat(threads.counts().waiting()).isEqualTo(1);
        endFirst();
        assertThat(threads.counts().running()).isEqualTo(1);
    }

    @Test
    void anotherClientsTurnBeginsWhatTheFirstOneCannot() {
        submit(SHARE, "a");
        LookUpThreads.Task shared = submit("shared", "a");
        assertThat(threads.counts().waiting()).isEqualTo(1);

        threads.join(shared, "a");
        assertThat(threads.counts().waiting()).isEqualTo(1);
        threads.join(shared, "b");

        assertThat(threads.counts()).isEqualTo(counts(0, SHARE + 1, 0));
        submit(SHARE - 1, "b");
        submit("b waits", "b");
        assertThat(threads.counts().waiting()).as("it counts for b").isEqualTo(1);
    }

    @Test
    void aLookUpThatYieldsGoesOnWithoutAPlace() {
        List<LookUpThreads.Task> hanging = submit(2 * SHARE, "a");
        hanging.forEach(threads::yieldPlace);
        assertThat(threads.counts()).isEqualTo(counts(0, 0, 2 * SHARE));

        submit(SHARE, "b");
        assertThat(threads.counts()).isEqualTo(counts(0, SHARE, 2 * SHARE));

        endAll();
        assertThat(run).hasSize(3 * SHARE);
        assertThat(threads.counts()).isEqualTo(counts(0, 0, 0));
    }

    @Test
    void asManyThreadsAsAClientHasPlacesAreLeftByThoseThatYield() {
        for (int i = 0; i < 100; i++) {
            threads.yieldPlace(submit("a" + i, "a"));
        }

        assertThat(threads.counts()).isEqualTo(counts(100 - 3 * SHARE, SHARE, 2 * SHARE));
    }

    @Test
    void whatYieldsBeforeItBeginsComesAfterWhatDoesNot() {
        submit(SHARE, "a");
        List<LookUpThreads.Task> yielding = submit(3 * SHARE, "a");
        submit("live", "a");
        for (int i = 3 * SHARE; i > 0; i--) {
            threads.yieldPlace(yielding.get(i - 1));
        }
        assertThat(threads.counts()).as("in place of running ones").isEqualTo(counts(SHARE + 1, SHARE, 2 * SHARE));

        endAll();

        assertThat(run).hasSize(4 * SHARE + 1);
        assertThat(run.indexOf("live")).as("before the last of them").isEqualTo(3 * SHARE);
        assertThat(threads.counts()).isEqualTo(counts(0, 0, 0));
    }

    @Test
    void whatAnotherClientWaitsForYieldsNoMore() {
        for (int i = 0; i < 2 * PLACES; i++) {
            threads.abandon(submit("gone " + i, ""));
        }
        submit(PLACES, "");
        LookUpThreads.Task task = submit("a", "a");
        threads.yieldPlace(task);
        submit("later", "a");
        assertThat(threads.counts()).isEqualTo(counts(2, PLACES, 2 * PLACES));

        threads.join(task, "b");
        List<Runnable> running = started.stream().skip(2 * PLACES).limit(2).toList();
        running.forEach(Runnable::run);

        assertThat(threads.counts()).as("both have begun").isEqualTo(counts(0, PLACES, 2 * PLACES));
    }

    @Test
    void oneClientCannotFillTheQueueForAnother() {
        submit(SHARE + LookUpThreads.MAX_QUEUED / 4, "a");

        assertThatExceptionOfType(RejectedExecutionException.class)
                .isThrownBy(() -> submit("more", "a"))
                .withMessageContaining(SHARE + " look-ups are running, " + LookUpThreads.MAX_QUEUED / 4 + " wait");
        submit("b", "b");
        assertThat(threads.counts().running()).isEqualTo(SHARE + 1);
    }

    @Test
    void aLookUpWithoutAThreadIsRejectedAndLeavesNothing() {
        LookUpThreads full = threads(task -> {
            throw new RejectedExecutionException("full");
        });
        for (int i = 0; i < 20_000; i++) {
            full.submit(full.task(() -> run.add("no"), rejections::add), null);
        }

        assertThat(rejections)
                .hasSize(20_000)
                .first()
                .extracting(Throwable::getMessage)
                .isEqualTo("full");
        assertThat(full.counts()).isEqualTo(counts(0, 0, 0));
    }

    @Test
    void anExecutorThatEndsRejectsAllThatWait() {
        AtomicBoolean closed = new AtomicBoolean();
        LookUpThreads ending = threads(task -> {
            if (closed.get()) {
                throw new RejectedExecutionException("closed");
            }
            started.add(task);
        });
        for (int i = 0; i < PLACES + 10_000; i++) {
            ending.submit(ending.task(() -> {}, rejections::add), null);
        }
        closed.set(true);

        endFirst();

        assertThat(rejections).hasSize(10_000);
        assertThat(ending.counts()).isEqualTo(counts(0, PLACES - 1, 0));
    }

    @Test
    void progressSaysHowLongItWasQueuedAndHowLongItRan() {
        submit(PLACES, "");
        LookUpThreads.Task task = submit("late", "");
        now += 5;
        assertThat(task.since(now - 100)).isEqualTo(new LookUpThreads.Progress(5, -1, counts(1, PLACES, 0)));

        endFirst();
        now += 2;

        assertThat(task.since(now - 100)).isEqualTo(new LookUpThreads.Progress(5, 2, counts(0, PLACES, 0)));
        assertThat(task.since(now - 1).queuedNanos())
                .as("of one that has come later")
                .isZero();
        assertThat(task.since(now - 1).runNanos()).isEqualTo(1);
    }

    @Test
    void anAbandonedLookUpIsInterruptedAndItsThreadDoesNotSeeThatLater() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        CompletableFuture<Boolean> later = new CompletableFuture<>();
        Queue<Thread> workers = new ArrayDeque<>();
        LookUpThreads real = new LookUpThreads(
                task -> {
                    Thread thread = new Thread(() -> {
                        task.run();
                        later.complete(Thread.currentThread().isInterrupted());
                    });
                    workers.add(thread);
                    thread.start();
                },
                PLACES,
                3 * PLACES,
                Runnable::run,
                System::nanoTime);
        LookUpThreads.Task task = real.task(
                () -> {
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt(); // as good code leaves it
                        interrupted.complete(true);
                    }
                },
                rejections::add);
        real.submit(task, null);
        begun.await();

        real.abandon(task);

        assertThat(interrupted.get()).isTrue();
        assertThat(later.get()).isFalse();
        workers.remove().join();
        assertThat(real.counts()).isEqualTo(counts(0, 0, 0));
    }

    /** Eight resolvers, each of which waits for another look-up, which has no place but theirs. */
    @Test
    void aLookUpThatWaitsForTheEngineLeavesItsPlaceMeanwhile() {
        WaitedFuture<String> answer = new WaitedFuture<>();
        CountDownLatch all = new CountDownLatch(PLACES);
        LookUpThreads real = new LookUpThreads(
                task -> new Thread(task).start(), PLACES, 3 * PLACES, Runnable::run, System::nanoTime);
        for (int i = 0; i < PLACES; i++) {
            real.submit(
                    real.task(
                            () -> {
                                all.countDown();
                                answer.thenApply(text -> text + "!").join();
                            },
                            rejections::add),
                    null);
        }

        real.submit(
                real.task(
                        () -> {
                            try {
                                all.await();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            answer.complete("found");
                        },
                        rejections::add),
                null);

        LoopDriver.patiently().until(() -> real.counts().equals(counts(0, 0, 0)));
        assertThat(answer).isCompleted();
    }

    @Test
    void aLookUpKnowsWhetherItIsAskedForByItself() {
        LookUpThreads.Task[] outer = new LookUpThreads.Task[1];
        LookUpThreads.Task[] inner = new LookUpThreads.Task[1];
        List<Boolean> answers = new ArrayList<>();
        outer[0] = threads.task(
                () -> {
                    answers.add(outer[0].isAskedByItself());
                    inner[0] = threads.task(() -> answers.add(outer[0].isAskedByItself()), rejections::add);
                    threads.submit(inner[0], null);
                },
                rejections::add);
        threads.submit(outer[0], null);
        assertThat(outer[0].isAskedByItself()).isFalse();

        endAll();

        assertThat(answers).containsExactly(true, true);
    }
}
