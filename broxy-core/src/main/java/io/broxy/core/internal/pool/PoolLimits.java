package io.broxy.core.internal.pool;

import io.broxy.PoolStats.Eviction;
import org.jspecify.annotations.Nullable;

/**
 * The limits of a pool. Threading: immutable.
 *
 * @param maxOpenPerKey {@link Integer#MAX_VALUE} for no limit
 * @param maxOpen {@link Integer#MAX_VALUE} for no limit
 */
record PoolLimits(
        int maxIdlePerKey, int maxIdle, int maxOpenPerKey, int maxOpen, long idleTimeoutNanos, long maxAgeNanos) {

    /** The reason to evict an idle connection, or null if it may stay. */
    @Nullable
    Eviction overdue(Slot<?> slot, long nowNanos) {
        if (nowNanos - slot.openedNanos >= maxAgeNanos) {
            return Eviction.MAX_AGE;
        }
        return nowNanos - slot.idleSinceNanos >= idleNanos(slot, nowNanos) ? Eviction.IDLE_TIMEOUT : null;
    }

    private long idleNanos(Slot<?> slot, long nowNanos) {
        return slot.spare
                ? idleTimeoutNanos
                : Math.min(
                        idleTimeoutNanos,
                        IdleTimes.ofRepeatable(slot.promise.idleNanos(), slot.owner.livedNanos(nowNanos)));
    }

    /** Whether an idle connection is acceptable for a request that must not be retried. */
    boolean isReliable(Slot<?> slot, long nowNanos) {
        long nanos = IdleTimes.ofUnrepeatable(slot.promise.idleNanos(), slot.owner.livedNanos(nowNanos));
        return nowNanos - slot.idleSinceNanos < nanos && overdue(slot, nowNanos) == null;
    }

    /** When an idle connection must be evicted. */
    long dueNanos(Slot<?> slot, long nowNanos) {
        long idleLeft = idleNanos(slot, nowNanos) - (nowNanos - slot.idleSinceNanos);
        long ageLeft = maxAgeNanos - (nowNanos - slot.openedNanos);
        return nowNanos + Math.min(idleLeft, ageLeft);
    }
}
