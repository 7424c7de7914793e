package io.broxy.core.internal.pool;

import java.util.concurrent.TimeUnit;

/**
 * How long a connection of a hop was idle when its peer closed it sooner than it had promised, if it had: the shortest time of
 * the last minute.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class IdleLife {
    static final long MEMORY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private long nanos;
    private long endNanos;

    IdleLife(long nowNanos) {
        endNanos = nowNanos; // nothing is known
    }

    /** One was closed. */
    void closed(long idleNanos, long nowNanos) {
        if (!isKnown(nowNanos) || idleNanos <= nanos) {
            nanos = idleNanos;
            endNanos = nowNanos + MEMORY_NANOS;
        }
    }

    /** What is known, or {@link IdleTimes#UNKNOWN}. */
    long nanos(long nowNanos) {
        return isKnown(nowNanos) ? nanos : IdleTimes.UNKNOWN;
    }

    private boolean isKnown(long nowNanos) {
        return endNanos - nowNanos > 0;
    }
}
