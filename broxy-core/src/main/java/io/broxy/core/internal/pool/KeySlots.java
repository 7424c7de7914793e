package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.core.internal.pool.PeerHistories.PeerHistory;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one key: the idle ones, grouped by loop, and the leases that wait for one.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class KeySlots<P> {
    final ConnPool.Key key;

    /** The record of a peer that closes idle connections early or sends unexpected bytes over them; null for others. */
    @Nullable
    PeerHistory history;

    /** By loop; most recent first. */
    private final Map<Object, ArrayDeque<Slot<P>>> idle = new HashMap<>(4);

    private int idleCount;

    /** In order of arrival, each with its pool-wide sequence number. */
    final LinkedHashMap<Waiter<P>, Long> waiting = new LinkedHashMap<>();

    /** Idle and leased connections, and those that are being opened. */
    int open;

    /** The target number of spares, the number that are being opened, and whether a refill has been requested. */
    int wanted;

    int arriving;
    boolean refillAsked;

    KeySlots(ConnPool.Key key, @Nullable PeerHistory history) {
        this.key = key;
        this.history = history;
    }

    /** The shortest idle time after which the peer closed a connection, or {@link IdleTimes#UNKNOWN}. */
    long livedNanos(long nowNanos) {
        return history == null ? IdleTimes.UNKNOWN : history.nanos(nowNanos);
    }

    /** Whether the peer recently sent bytes over an idle connection. */
    boolean sentUnexpectedBytes(long nowNanos) {
        return history != null && history.sentUnexpectedBytes(nowNanos);
    }

    int idleCount() {
        return idleCount;
    }

    void push(Slot<P> slot) {
        idle.computeIfAbsent(homeOf(slot), home -> new ArrayDeque<>()).addFirst(slot);
        idleCount++;
    }

    void remove(Slot<P> slot) {
        ArrayDeque<Slot<P>> set = idle.get(homeOf(slot));
        if (set != null && set.removeFirstOccurrence(slot)) {
            idleCount--;
        }
    }

    /** The most recent of this loop, else the most recent of all. */
    @Nullable
    Slot<P> newest(@Nullable Object home) {
        ArrayDeque<Slot<P>> ofLoop = home == null ? null : idle.get(home);
        if (ofLoop != null && !ofLoop.isEmpty()) {
            return ofLoop.peekFirst();
        }
        Slot<P> newest = null;
        for (ArrayDeque<Slot<P>> set : idle.values()) {
            Slot<P> first = set.peekFirst();
            if (first != null && (newest == null || first.idleNumber > newest.idleNumber)) {
                newest = first;
            }
        }
        return newest;
    }

    /** The connection that has been idle longest, or null. */
    @Nullable
    Slot<P> oldest() {
        Slot<P> oldest = null;
        for (ArrayDeque<Slot<P>> set : idle.values()) {
            Slot<P> last = set.peekLast();
            if (last != null && (oldest == null || last.idleNumber < oldest.idleNumber)) {
                oldest = last;
            }
        }
        return oldest;
    }

    private static Object homeOf(Slot<?> slot) {
        return Objects.requireNonNull(slot.home, "the home of an idle connection");
    }

    // ------------------------------------------------------------------ waiters

    boolean isAwaited() {
        return !waiting.isEmpty();
    }

    /** The sequence number of the first waiter, which must exist. */
    long firstNumber() {
        return waiting.values().iterator().next();
    }

    /** The longest-waiting waiter, which must exist. */
    Waiter<P> first() {
        return waiting.keySet().iterator().next();
    }

    /** The number of missing spares. */
    int missing() {
        return wanted - idleCount - arriving;
    }

    /** Whether the pool can drop this object. */
    boolean isUnused() {
        return open == 0 && wanted == 0 && waiting.isEmpty();
    }
}
