package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The keys whose peers close idle connections early or send unexpected bytes over them, including keys that have no connection
 * now. At most {@value #MAX} are kept; a new one evicts the key whose last event is oldest.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class PeerHistories {
    static final int MAX = 1_000;

    /** Least recent event first. */
    private final Map<ConnPool.Key, PeerHistory> histories = new LinkedHashMap<>();

    /** The record of a key, or null. */
    @Nullable
    PeerHistory of(ConnPool.Key key) {
        return histories.isEmpty() ? null : histories.get(key);
    }

    /** Records that the peer closed an idle connection of a key. */
    PeerHistory closed(ConnPool.Key key, long idleNanos, long nowNanos) {
        PeerHistory history = latest(key, nowNanos);
        history.closed(idleNanos, nowNanos);
        return history;
    }

    /** Records that the peer sent bytes over an idle connection of a key. */
    PeerHistory receivedBytes(ConnPool.Key key, long nowNanos) {
        PeerHistory history = latest(key, nowNanos);
        history.receivedBytes(nowNanos);
        return history;
    }

    private PeerHistory latest(ConnPool.Key key, long nowNanos) {
        forgetOutdated(nowNanos);
        PeerHistory history = histories.remove(key);
        if (history == null) {
            history = new PeerHistory(nowNanos);
            if (histories.size() == MAX) {
                histories.remove(histories.keySet().iterator().next());
            }
        }
        histories.put(key, history);
        return history;
    }

    private void forgetOutdated(long nowNanos) {
        Iterator<PeerHistory> oldest = histories.values().iterator();
        while (oldest.hasNext() && oldest.next().isOutdated(nowNanos)) {
            oldest.remove();
        }
    }

    int size() {
        return histories.size();
    }

    /**
     * How the peer of a key has treated idle connections in the last minute: the shortest idle time after which it closed one
     * earlier than promised, and whether it sent bytes over one.
     *
     * <p>Threading: the pool's lock guards it.
     */
    static final class PeerHistory {
        static final long MEMORY_NANOS = TimeUnit.MINUTES.toNanos(1);

        private long nanos;
        private long endNanos;
        private long unexpectedBytesEndNanos;

        PeerHistory(long nowNanos) {
            endNanos = nowNanos; // nothing is known
            unexpectedBytesEndNanos = nowNanos;
        }

        /** Records that the peer closed an idle connection. */
        void closed(long idleNanos, long nowNanos) {
            if (!isKnown(nowNanos) || idleNanos <= nanos) {
                nanos = idleNanos;
                endNanos = nowNanos + MEMORY_NANOS;
            }
        }

        /** Records that the peer sent bytes over an idle connection. */
        void receivedBytes(long nowNanos) {
            unexpectedBytesEndNanos = nowNanos + MEMORY_NANOS;
        }

        boolean sentUnexpectedBytes(long nowNanos) {
            return unexpectedBytesEndNanos - nowNanos > 0;
        }

        boolean isOutdated(long nowNanos) {
            return !isKnown(nowNanos) && !sentUnexpectedBytes(nowNanos);
        }

        /** How long a connection was idle when the peer closed it, or {@link IdleTimes#UNKNOWN}. */
        long nanos(long nowNanos) {
            return isKnown(nowNanos) ? nanos : IdleTimes.UNKNOWN;
        }

        private boolean isKnown(long nowNanos) {
            return endNanos - nowNanos > 0;
        }
    }
}
