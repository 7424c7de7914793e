package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The keys whose peers close idle connections early or spoil them, including keys without connections now. At most {@value
 * #MAX} are remembered; another one replaces the one whose last event is oldest.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class IdleLives {
    static final int MAX = 1_000;

    /** In the order of their last events. */
    private final Map<ConnPool.Key, IdleLife> lives = new LinkedHashMap<>();

    /** What is known of a key, or null. */
    @Nullable
    IdleLife of(ConnPool.Key key) {
        return lives.isEmpty() ? null : lives.get(key);
    }

    /** The peer closed an idle connection of a key. */
    IdleLife closed(ConnPool.Key key, long idleNanos, long nowNanos) {
        IdleLife life = latest(key, nowNanos);
        life.closed(idleNanos, nowNanos);
        return life;
    }

    /** The peer sent something over an idle connection of a key. */
    IdleLife spoilt(ConnPool.Key key, long nowNanos) {
        IdleLife life = latest(key, nowNanos);
        life.spoilt(nowNanos);
        return life;
    }

    private IdleLife latest(ConnPool.Key key, long nowNanos) {
        forgetOutdated(nowNanos);
        IdleLife life = lives.remove(key);
        if (life == null) {
            life = new IdleLife(nowNanos);
            if (lives.size() == MAX) {
                lives.remove(lives.keySet().iterator().next());
            }
        }
        lives.put(key, life);
        return life;
    }

    private void forgetOutdated(long nowNanos) {
        Iterator<IdleLife> oldest = lives.values().iterator();
        while (oldest.hasNext() && oldest.next().isOutdated(nowNanos)) {
            oldest.remove();
        }
    }

    int size() {
        return lives.size();
    }

    /**
     * How the peer of a key has treated idle connections in the last minute: the shortest time after which it closed one sooner
     * than it had promised, and whether it sent anything over one.
     *
     * <p>Threading: the pool's lock guards it.
     */
    static final class IdleLife {
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
}
