package io.broxy.core.internal.time;

import org.jspecify.annotations.Nullable;

/**
 * One timer for the many deadlines of a connection, of which only the next matters and hardly any is reached. Moving a deadline
 * to a later time is free: the check runs too early and schedules itself anew.
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
     * Creates an unscheduled timer.
     *
     * @param check handles expired deadlines and schedules the next one
     */
    public LazyTimer(TimerQueue timers, Runnable check) {
        this.timers = timers;
        this.check = check;
    }

    /** Schedules the check no later than a deadline. */
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

    /** Cancels the check until the next deadline is set. */
    public void cancel() {
        planned = false;
        if (timer != null) {
            timers.cancel(timer);
        }
    }
}
