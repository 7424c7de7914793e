package io.broxy.core.internal.proxy;

import java.util.concurrent.TimeUnit;

/**
 * The turns of throttled guesses: each guess waits for a turn, and the interval between turns doubles with each wrong guess. A
 * guess that has a turn counts as wrong until it is decided.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class Turns {
    /** Returned by {@link #take} when the next turn comes too late. */
    static final long TOO_LATE = -1;

    private static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int MAX_DOUBLINGS = 16;

    private final long maxIntervalNanos;
    private long nextNanos;
    private int undecided;

    /**
     * Creates turns that have not started.
     *
     * @param maxIntervalNanos the maximum interval between two turns
     */
    Turns(long maxIntervalNanos) {
        this.maxIntervalNanos = maxIntervalNanos;
    }

    /** Starts the first turn. */
    void begin(long nowNanos) {
        nextNanos = nowNanos + FIRST_NANOS;
    }

    /** Takes the next turn and returns the time until then, or {@link #TOO_LATE} if that is more than {@code maxNanos}. */
    long take(long nowNanos, int excess, long maxNanos) {
        long waitNanos = Math.max(0, nextNanos - nowNanos);
        if (waitNanos > maxNanos) {
            return TOO_LATE;
        }
        nextNanos = nowNanos + waitNanos + intervalNanos(excess + undecided, maxIntervalNanos);
        undecided++;
        return waitNanos;
    }

    /** Called when a guess that has taken a turn is decided or given up. */
    void over() {
        undecided--;
    }

    /**
     * The interval between two turns.
     *
     * @param excess the number of wrong guesses in excess of the free ones
     */
    static long intervalNanos(int excess, long maxIntervalNanos) {
        return Math.min(FIRST_NANOS << Math.min(excess, MAX_DOUBLINGS), maxIntervalNanos);
    }
}
