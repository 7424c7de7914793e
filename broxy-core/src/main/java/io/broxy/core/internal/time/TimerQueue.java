package io.broxy.core.internal.time;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Timers in a binary heap in which every timer knows its place, so that cancelling leaves nothing behind: a proxy
 * starts and cancels several timers a connection, and nearly none fires.
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

    /** Plans a task. */
    public Timer schedule(long deadlineNanos, Runnable task) {
        Timer timer = new Timer(task);
        reschedule(timer, deadlineNanos);
        return timer;
    }

    /** Plans a timer anew, whether it is planned, cancelled or has fired. */
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

    /** Takes a timer out; one that is not planned stays as it is. */
    public void cancel(Timer timer) {
        int hole = timer.index;
        if (hole < 0) {
            return;
        }
        timer.index = -1;
        Timer last = at(--size);
        heap[size] = null;
        if (last != timer) {
            siftUp(last, hole);
            siftDown(last, last.index);
        }
    }

    /** Takes out one timer that is due and gives its task, or null when none is due. */
    public @Nullable Runnable poll(long nowNanos) {
        return size == 0 || at(0).deadlineNanos - nowNanos > 0 ? null : pollNext();
    }

    /** Takes out the timer that is due next, whenever that is, and gives its task, or null when there is none. */
    public @Nullable Runnable pollNext() {
        if (size == 0) {
            return null;
        }
        Timer next = at(0);
        cancel(next);
        return next.task;
    }

    /** Nanoseconds until the next timer is due: 0 when one is, {@link Long#MAX_VALUE} when there is none. */
    public long nanosToNext(long nowNanos) {
        return size == 0 ? Long.MAX_VALUE : Math.max(0, at(0).deadlineNanos - nowNanos);
    }

    /** How many timers are planned. */
    public int size() {
        return size;
    }

    @SuppressWarnings("NullAway") // places below size are filled
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
