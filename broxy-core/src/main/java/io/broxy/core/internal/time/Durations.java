package io.broxy.core.internal.time;

import java.time.Duration;

/** From the API's {@link Duration}s to the nanoseconds used inside. */
public final class Durations {
    /** About 146 years: half the range, so that "now + this" compares right by subtraction. */
    private static final long MAX_NANOS = Long.MAX_VALUE / 2;

    private Durations() {}

    /**
     * A duration in nanoseconds, cut to what fits.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public static long positiveNanos(Duration duration, String what) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(what + " must be positive, not " + duration);
        }
        return toNanos(duration);
    }

    /**
     * A duration in nanoseconds, cut to what fits.
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
