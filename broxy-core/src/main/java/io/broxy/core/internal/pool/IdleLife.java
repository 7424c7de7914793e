package io.broxy.core.internal.pool;

import java.util.concurrent.TimeUnit;

/**
 * How the peer of a key has treated idle connections in the last minute: the shortest time after which it closed one sooner
 * than it had promised, and whether it sent anything over one.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class IdleLife {
    static final long MEMORY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private long nanos;
    private long endNanos;
    private long spoiltEndNanos;

    IdleLife(long nowNanos) {
        endNanos = nowNanos; // nothing is known
        spoiltEndNanos = nowNanos;
    }

    /** The peer closed an idle connection. */
    void closed(long idleNanos, long nowNanos) {
        if (!isKnown(nowNanos) || idleNanos <= nanos) {
            nanos = idleNanos;
            endNanos = nowNanos + MEMORY_NANOS;
        }
    }

    /** The peer sent something over an idle connection. */
    void spoilt(long nowNanos) {
        spoiltEndNanos = nowNanos + MEMORY_NANOS;
    }

    boolean isSpoilt(long nowNanos) {
        return spoiltEndNanos - nowNanos > 0;
    }

    boolean isOutdated(long nowNanos) {
        return !isKnown(nowNanos) && !isSpoilt(nowNanos);
    }

    /** How long it was idle when the peer closed it, or {@link IdleTimes#UNKNOWN}. */
    long nanos(long nowNanos) {
        return isKnown(nowNanos) ? nanos : IdleTimes.UNKNOWN;
    }

    private boolean isKnown(long nowNanos) {
        return endNanos - nowNanos > 0;
    }
}
