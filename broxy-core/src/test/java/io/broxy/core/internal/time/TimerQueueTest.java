package io.broxy.core.internal.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the order of timers, and how they are cancelled and rescheduled. */
class TimerQueueTest {
    private final TimerQueue queue = new TimerQueue();
    private final List<String> fired = new ArrayList<>();

    private TimerQueue.Timer schedule(long deadline, String name) {
        return queue.schedule(deadline, () -> fired.add(name));
    }

    private List<String> fireAll(long now) {
        fired.clear();
        for (Runnable task; (task = queue.poll(now)) != null; ) {
            task.run();
        }
        return fired;
    }

    @Test
    void anEmptyQueueHasNothingDue() {
        assertThat(queue.poll(Long.MAX_VALUE)).isNull();
        assertThat(queue.pollNext()).isNull();
        assertThat(queue.nanosToNext(0)).isEqualTo(Long.MAX_VALUE);
        assertThat(queue.size()).isZero();
    }

    @Test
    void timersFireInTheOrderOfTheirDeadlines() {
        schedule(30, "c");
        schedule(10, "a");
        schedule(20, "b");

        assertThat(fireAll(30)).containsExactly("a", "b", "c");
    }

    @Test
    void aTimerIsDueAtItsDeadlineAndNotBefore() {
        schedule(10, "a");
        schedule(20, "b");

        assertThat(fireAll(9)).isEmpty();
        assertThat(fireAll(10)).containsExactly("a");
        assertThat(fireAll(19)).isEmpty();
        assertThat(fireAll(1_000)).containsExactly("b");
    }

    @Test
    void aTimerFiresOnce() {
        schedule(10, "a");

        assertThat(fireAll(10)).containsExactly("a");
        assertThat(fireAll(10)).isEmpty();
        assertThat(queue.size()).isZero();
    }

    @Test
    void theTimeToTheNextIsNeverNegative() {
        schedule(20, "b");
        TimerQueue.Timer first = schedule(10, "a");

        assertThat(queue.nanosToNext(3)).isEqualTo(7);
        assertThat(queue.nanosToNext(10)).isZero();
        assertThat(queue.nanosToNext(11)).isZero();
        queue.cancel(first);
        assertThat(queue.nanosToNext(11)).isEqualTo(9);
    }

    @Test
    void aCancelledTimerLeavesNothingBehind() {
        TimerQueue.Timer first = schedule(10, "a");
        schedule(20, "b");
        queue.cancel(first);
        queue.cancel(first);

        assertThat(queue.size()).isEqualTo(1);
        assertThat(fireAll(100)).containsExactly("b");
    }

    @Test
    void aTimerThatFiredIsNotThereToCancel() {
        TimerQueue.Timer first = schedule(10, "a");
        fireAll(10);
        schedule(20, "b");
        queue.cancel(first);

        assertThat(fireAll(20)).containsExactly("b");
    }

    @Test
    void aTimerMovesBothWaysWhetherItIsPlannedOrCancelledOrHasFired() {
        TimerQueue.Timer timer = schedule(20, "x");
        schedule(15, "b");
        queue.reschedule(timer, 10);
        assertThat(fireAll(10)).containsExactly("x");

        queue.reschedule(timer, 30);
        assertThat(fireAll(30)).containsExactly("b", "x");

        queue.reschedule(timer, 40);
        queue.cancel(timer);
        queue.reschedule(timer, 50);
        queue.reschedule(timer, 60);
        assertThat(queue.size()).isEqualTo(1);
        assertThat(fireAll(59)).isEmpty();
        assertThat(fireAll(60)).containsExactly("x");
    }

    @Test
    void theNextIsTakenOutBeforeItIsDue() {
        schedule(Long.MAX_VALUE / 2, "b");
        schedule(10, "a");

        for (Runnable task; (task = queue.pollNext()) != null; ) {
            task.run();
        }
        assertThat(fired).containsExactly("a", "b");
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE - 15, Long.MIN_VALUE, -15, 0})
    void theClockMayWrapAround(long start) {
        schedule(start + 30, "c");
        schedule(start + 10, "a");
        schedule(start + Long.MAX_VALUE / 2, "z");
        schedule(start + 20, "b");

        assertThat(fireAll(start)).isEmpty();
        assertThat(queue.nanosToNext(start)).isEqualTo(10);
        assertThat(fireAll(start + 20)).containsExactly("a", "b");
        assertThat(fireAll(start + 30)).containsExactly("c");
        assertThat(queue.nanosToNext(start + 30)).isEqualTo(Long.MAX_VALUE / 2 - 30);
    }

    /** Deadlines are few, so that many timers share one; then the order among them is free. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    @Tag("sweep")
    void anyHistoryFiresWhatASimpleListWouldFire(long seed) {
        Random random = new Random(seed);
        long now = random.nextLong();
        List<TimerQueue.Timer> timers = new ArrayList<>();
        Map<Integer, Long> model = new HashMap<>(); // the number of a planned timer to its deadline
        List<Integer> ran = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            int kind = random.nextInt(10);
            long deadline = now + random.nextInt(200) - 20;
            if (kind < 4 || timers.isEmpty()) {
                int number = timers.size();
                timers.add(queue.schedule(deadline, () -> ran.add(number)));
                model.put(number, deadline);
            } else if (kind < 6) {
                int number = random.nextInt(timers.size());
                queue.reschedule(timers.get(number), deadline);
                model.put(number, deadline);
            } else if (kind < 8) {
                int number = random.nextInt(timers.size());
                queue.cancel(timers.get(number));
                model.remove(number);
            } else {
                now += random.nextInt(10);
                fireAndCompare(model, ran, now);
            }
            assertThat(queue.size()).isEqualTo(model.size());
        }
        fireAndCompare(model, ran, now + 1_000);
        assertThat(model).isEmpty();
    }

    private void fireAndCompare(Map<Integer, Long> model, List<Integer> ran, long now) {
        while (true) {
            long next = model.values().stream().mapToLong(d -> d - now).min().orElse(Long.MAX_VALUE);
            assertThat(queue.nanosToNext(now)).isEqualTo(Math.max(0, next));
            Runnable task = queue.poll(now);
            assertThat(task != null).as("whether one is due").isEqualTo(next <= 0);
            if (task == null) {
                return;
            }
            ran.clear();
            task.run();
            assertThat(model.remove(ran.get(0)) - now)
                    .as("the earliest deadline")
                    .isEqualTo(next);
        }
    }
}
