package io.broxy.core.internal.time;

import org.jspecify.annotations.Nullable;

/**
 * One timer for the many deadlines of a connection, of which only the next counts and nearly none is reached. A deadline
 * that moves away costs nothing: the check runs too early then, finds that, and asks for the later one.
 *
 * <p>Threading: owned by one thread, its event loop.
 */
public final class LazyTimer {
    private final TimerQueue timers;
    private final Runnable check;
    private TimerQueue.@Nullable Timer timer;
    private long plannedNanos;
    private boolean planned;

    /**
     * Creates a timer that is not planned.
     *
     * @param check looks at what is due, and asks for the next deadline
     */
    public LazyTimer(TimerQueue timers, Runnable check) {
        this.timers = timers;
        this.check = check;
    }

    /** Runs the check at this time, if not before. */
    public void atLatest(long deadlineNanos) {
        if (planned && plannedNanos - deadlineNanos <= 0) {
            return;
        }
        planned = true;
        plannedNanos = deadlineNanos;
        if (timer == null) {
            timer = timers.schedule(deadlineNanos, this::fire);
        } else {
            timers.reschedule(timer, deadlineNanos);
        }
    }

    private void fire() {
        planned = false;
        check.run();
    }

    /** Runs no check any more, until there is a deadline again. */
    public void cancel() {
        planned = false;
        if (timer != null) {
            timers.cancel(timer);
        }
    }
}
