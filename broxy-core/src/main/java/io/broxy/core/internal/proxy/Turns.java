package io.broxy.core.internal.proxy;

import java.util.concurrent.TimeUnit;

/**
 * The turns of throttled guesses: each guess waits for its own, and the distance between two doubles with each wrong guess. A
 * guess that has a turn counts as wrong until it is decided.
 *
 * <p>Threading: guarded by the throttle's lock.
 */
final class Turns {
    /** Returned by {@link #take} when the next turn comes too late. */
    static final long TOO_LATE = -1;

    private static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int MOST_DOUBLINGS = 16;

    private final long longestNanos;
    private long nextNanos;
    private int undecided;

    /**
     * Creates turns that have not begun.
     *
     * @param longestNanos the longest distance between two
     */
    Turns(long longestNanos) {
        this.longestNanos = longestNanos;
    }

    /** Begins the first turn. */
    void begin(long nowNanos) {
        nextNanos = nowNanos + FIRST_NANOS;
    }

    /** Takes the next turn and returns the time until then, or {@link #TOO_LATE} if that is more than {@code mostNanos}. */
    long take(long nowNanos, int excess, long mostNanos) {
        long waitNanos = Math.max(0, nextNanos - nowNanos);
        if (waitNanos > mostNanos) {
            return TOO_LATE;
        }
        nextNanos = nowNanos + waitNanos + distanceNanos(excess + undecided, longestNanos);
        undecided++;
        return waitNanos;
    }

    /** A guess that has taken a turn is decided or given up. */
    void over() {
        undecided--;
    }

    /**
     * The distance between two turns.
     *
     * @param excess the number of wrong guesses beyond the free ones
     */
    static long distanceNanos(int excess, long longestNanos) {
        return Math.min(FIRST_NANOS << Math.min(excess, MOST_DOUBLINGS), longestNanos);
    }
}
