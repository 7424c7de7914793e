package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.core.internal.pool.IdleLives.IdleLife;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a pool has of one key: its idle connections, a set for each loop, and the leases that wait for one.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class KeySlots<P> {
    final ConnPool.Key key;

    /** How the peer treats idle connections, if it closes them early or spoils them; else null. */
    @Nullable
    IdleLife life;

    /** By loop; the newest first. */
    private final Map<Object, ArrayDeque<Slot<P>>> idle = new HashMap<>(4);

    private int idleCount;

    /** In order of arrival, each with its number among all that ever waited. */
    final LinkedHashMap<Waiter<P>, Long> waiting = new LinkedHashMap<>();

    /** Idle, leased and being opened. */
    int open;

    /** How many spares are wanted, how many are on their way, and whether more have been asked for. */
    int wanted;

    int arriving;
    boolean refillAsked;

    KeySlots(ConnPool.Key key, @Nullable IdleLife life) {
        this.key = key;
        this.life = life;
    }

    /** How long another connection was idle when the peer closed it, or {@link IdleTimes#UNKNOWN}. */
    long livedNanos(long nowNanos) {
        return life == null ? IdleTimes.UNKNOWN : life.nanos(nowNanos);
    }

    /** Whether the peer has lately sent something over an idle connection. */
    boolean isSpoilt(long nowNanos) {
        return life != null && life.isSpoilt(nowNanos);
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

    /** The newest of a loop's own, or else the newest of all. */
    @Nullable
    Slot<P> newest(@Nullable Object home) {
        ArrayDeque<Slot<P>> own = home == null ? null : idle.get(home);
        if (own != null && !own.isEmpty()) {
            return own.peekFirst();
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

    /** The one that has been idle longest, or null. */
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

    /** The number of the first; there must be one. */
    long firstNumber() {
        return waiting.values().iterator().next();
    }

    /** The one that waits longest; there must be one. */
    Waiter<P> first() {
        return waiting.keySet().iterator().next();
    }

    /** How many spares are missing. */
    int missing() {
        return wanted - idleCount - arriving;
    }

    /** Whether the pool may forget it. */
    boolean isUnused() {
        return open == 0 && wanted == 0 && waiting.isEmpty();
    }
}
