package io.broxy.core.internal.time;

import java.time.Duration;

/** Converts the API's {@link Duration}s to nanoseconds. */
public final class Durations {
    /** About 146 years: half the range, so that "now + this" can be compared by subtraction. */
    private static final long MAX_NANOS = Long.MAX_VALUE / 2;

    private Durations() {}

    /**
     * Returns a duration in nanoseconds, limited to about 146 years.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public static long positiveNanos(Duration duration, String what) {
        return toNanos(requirePositive(duration, what));
    }

    /**
     * Returns a duration that is positive.
     *
     * @throws IllegalArgumentException if it is not
     */
    public static Duration requirePositive(Duration duration, String what) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(what + " must be positive, not " + duration);
        }
        return duration;
    }

    /**
     * Returns a duration in nanoseconds, limited to about 146 years.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public static long nanos(Duration duration, String what) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException(what + " must not be negative, but is " + duration);
        }
        return toNanos(duration);
    }

    private static long toNanos(Duration duration) {
        return duration.compareTo(Duration.ofNanos(MAX_NANOS)) > 0 ? MAX_NANOS : duration.toNanos();
    }
}
