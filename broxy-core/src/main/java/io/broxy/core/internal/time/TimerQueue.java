package io.broxy.core.internal.time;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Timers in a binary heap. Each timer knows its index, so that cancelling removes it from the heap: a proxy schedules and
 * cancels several timers per connection, and hardly any fires.
 *
 * <p>Threading: owned by one thread, its event loop.
 */
public final class TimerQueue {

    /** A task and when it is due. */
    public static final class Timer {
        private final Runnable task;
        private long deadlineNanos;
        private int index = -1;

        private Timer(Runnable task) {
            this.task = task;
        }
    }

    private @Nullable Timer[] heap = new Timer[16];
    private int size;

    /** Schedules a task. */
    public Timer schedule(long deadlineNanos, Runnable task) {
        Timer timer = new Timer(task);
        reschedule(timer, deadlineNanos);
        return timer;
    }

    /** Reschedules a timer, whether it is scheduled, cancelled or has fired. */
    public void reschedule(Timer timer, long deadlineNanos) {
        timer.deadlineNanos = deadlineNanos;
        if (timer.index >= 0) {
            siftUp(timer, timer.index);
            siftDown(timer, timer.index);
            return;
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        siftUp(timer, size++);
    }

    /**
     * Cancels a timer; has no effect on one that is not scheduled. The last timer takes its place before the heap shrinks, so that
     * cancelling the last one is no case of its own: HotSpot would compile that rare branch late, and the whole path of a tunnel's
     * end with it.
     */
    public void cancel(Timer timer) {
        if (timer.index >= 0) {
            Timer last = at(size - 1);
            siftUp(last, timer.index);
            siftDown(last, last.index);
            heap[--size] = null;
            timer.index = -1;
        }
    }

    /** Removes a due timer and returns its task; null if none is due. */
    public @Nullable Runnable poll(long nowNanos) {
        return size == 0 || at(0).deadlineNanos - nowNanos > 0 ? null : pollNext();
    }

    /** Removes the next timer, due or not, and returns its task; null if there is none. */
    public @Nullable Runnable pollNext() {
        if (size == 0) {
            return null;
        }
        Timer next = at(0);
        cancel(next);
        return next.task;
    }

    /** The nanoseconds until the next timer is due: 0 if one is due, {@link Long#MAX_VALUE} if there is none. */
    public long nanosToNext(long nowNanos) {
        return size == 0 ? Long.MAX_VALUE : Math.max(0, at(0).deadlineNanos - nowNanos);
    }

    /** The number of scheduled timers. */
    public int size() {
        return size;
    }

    @SuppressWarnings("NullAway") // entries below size are not null
    private Timer at(int index) {
        return heap[index];
    }

    private void place(Timer timer, int index) {
        heap[index] = timer;
        timer.index = index;
    }

    private void siftUp(Timer timer, int from) {
        int index = from;
        while (index > 0) {
            int parent = (index - 1) >>> 1;
            if (at(parent).deadlineNanos - timer.deadlineNanos <= 0) {
                break;
            }
            place(at(parent), index);
            index = parent;
        }
        place(timer, index);
    }

    private void siftDown(Timer timer, int from) {
        int index = from;
        for (int child; (child = 2 * index + 1) < size; index = child) {
            if (child + 1 < size && at(child + 1).deadlineNanos - at(child).deadlineNanos < 0) {
                child++;
            }
            if (timer.deadlineNanos - at(child).deadlineNanos <= 0) {
                break;
            }
            place(at(child), index);
        }
        place(timer, index);
    }
}
