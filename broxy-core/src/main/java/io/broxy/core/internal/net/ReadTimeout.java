package io.broxy.core.internal.net;

import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The read timeout of a connection, as its user has set it. It is kept in milliseconds, as a {@link java.net.Socket} shows
 * it.
 *
 * <p>Threading: thread-safe.
 */
final class ReadTimeout {
    private volatile int millis;

    /** Sets it, rounded up to milliseconds; zero means without limit. */
    void set(Duration limit) {
        millis = millis(limit);
    }

    Duration get() {
        return Duration.ofMillis(millis);
    }

    long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /**
     * In milliseconds, as a socket counts it, rounded up.
     *
     * @throws IllegalArgumentException if it is negative
     */
    static int millis(Duration limit) {
        if (limit.isNegative()) {
            throw new IllegalArgumentException("a read timeout cannot be negative, as " + limit + " is");
        }
        if (limit.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) >= 0) {
            return Integer.MAX_VALUE;
        }
        return (int) limit.plusNanos(TimeUnit.MILLISECONDS.toNanos(1) - 1).toMillis();
    }

    /** Nanoseconds in milliseconds, rounded up; at least 1. */
    static int millis(long nanos) throws SocketTimeoutException {
        if (nanos <= 0) {
            throw new SocketTimeoutException("Read timed out");
        }
        long rounded = (nanos - 1) / TimeUnit.MILLISECONDS.toNanos(1) + 1;
        return (int) Math.min(rounded, Integer.MAX_VALUE);
    }
}
