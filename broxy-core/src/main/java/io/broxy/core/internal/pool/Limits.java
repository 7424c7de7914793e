package io.broxy.core.internal.pool;

import io.broxy.PoolStats.Eviction;
import org.jspecify.annotations.Nullable;

/**
 * What bounds a pool. Threading: immutable.
 *
 * @param maxOpenPerHop {@link Integer#MAX_VALUE} for no limit
 * @param maxOpen {@link Integer#MAX_VALUE} for no limit
 */
record Limits(int maxIdlePerHop, int maxIdle, int maxOpenPerHop, int maxOpen, long idleTimeoutNanos, long maxAgeNanos) {

    /** Why an idle connection must go, or null if it may stay. */
    @Nullable
    Eviction overdue(Slot<?> slot, long nowNanos) {
        if (nowNanos - slot.openedNanos >= maxAgeNanos) {
            return Eviction.MAX_AGE;
        }
        return nowNanos - slot.idleSinceNanos >= idleTimeoutNanos ? Eviction.IDLE_TIMEOUT : null;
    }

    /** When an idle connection must go. */
    long dueNanos(Slot<?> slot, long nowNanos) {
        long idleLeft = idleTimeoutNanos - (nowNanos - slot.idleSinceNanos);
        long ageLeft = maxAgeNanos - (nowNanos - slot.openedNanos);
        return nowNanos + Math.min(idleLeft, ageLeft);
    }
}
