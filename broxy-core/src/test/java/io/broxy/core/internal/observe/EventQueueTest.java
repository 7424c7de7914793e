package io.broxy.core.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.CapturedLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Specifies the order and the bound of queued events, and what happens to them when executors or observers fail. */
class EventQueueTest {
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Integer> handled = new ArrayList<>();
    private long now;

    private final EventQueue queue = new EventQueue("the test", tasks::add, () -> now);

    private void add(int number) {
        queue.add(() -> handled.add(number));
    }

    private void run() {
        for (Runnable task; (task = tasks.poll()) != null; ) {
            task.run();
        }
    }

    @Test
    void eventsRunInTheirOrderByOneTaskAtATime() {
        add(1);
        add(2);
        add(3);

        assertThat(tasks).hasSize(1);
        run();
        add(4);
        assertThat(tasks).hasSize(1);
        run();
        assertThat(handled).containsExactly(1, 2, 3, 4);
    }

    @Test
    void whatIsTooManyIsDroppedAndCountedAndWarnedOfOnce() {
        try (CapturedLog log = CapturedLog.start()) {
            IntStream.range(0, EventQueue.CAPACITY + 7).forEach(this::add);

            assertThat(queue.dropped()).isEqualTo(7);
            assertThat(log.lines("the test is too slow")).hasSize(1);
            run();
            assertThat(handled).hasSize(EventQueue.CAPACITY).endsWith(EventQueue.CAPACITY - 1);
            add(-1);
            run();
            assertThat(handled).endsWith(-1);
        }
    }

    @Test
    void aFailureIsLoggedAndTheNextEventRuns() {
        try (CapturedLog log = CapturedLog.start()) {
            for (int i = 0; i < 3; i++) {
                queue.add(() -> {
                    throw new AssertionError("thrown on purpose");
                });
            }
            add(1);
            run();

            assertThat(handled).containsExactly(1);
            assertThat(log.lines("the test failed")).hasSize(1);
        }
    }

    @Test
    void anExecutorThatHasEndedDropsWhatIsWaiting() {
        EventQueue late = new EventQueue(
                "the test",
                task -> {
                    throw new RejectedExecutionException("it has ended");
                },
                () -> now);

        late.add(() -> handled.add(1));

        assertThat(late.dropped()).isEqualTo(1);
        assertThat(handled).isEmpty();
    }

    @Test
    void aThreadThatCannotBeStartedIsTriedAgainByTheNextEvent() {
        int[] failures = {1};
        EventQueue poor = new EventQueue(
                "the test",
                task -> {
                    if (failures[0]-- > 0) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    tasks.add(task);
                },
                () -> now);

        poor.add(() -> handled.add(1));
        assertThat(tasks).isEmpty();
        poor.add(() -> handled.add(2));
        run();

        assertThat(handled).containsExactly(1, 2);
    }

    @Test
    void anInterruptEndsTheTaskAndAnotherOneGoesOn() {
        queue.add(() -> Thread.currentThread().interrupt());
        add(1);
        tasks.remove().run();
        assertThat(Thread.interrupted()).isTrue();

        assertThat(handled).isEmpty();
        run();
        assertThat(handled).containsExactly(1);
    }
}
