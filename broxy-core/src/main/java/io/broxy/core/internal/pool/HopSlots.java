package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All of one hop, and of one client if it is for one: idle connections, a set for each loop, and who waits.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class HopSlots<P> {
    final ConnPool.Key hop;

    /** Those for other clients, too. */
    final HopTotal<P> total;

    /** By loop; the newest first. */
    private final Map<Object, ArrayDeque<Slot<P>>> idle = new HashMap<>(4);

    private int idleCount;

    /** In order of arrival, each with its number among all that ever waited. */
    private final LinkedHashMap<Waiter<P>, Long> waiting = new LinkedHashMap<>();

    /** Idle, leased and being opened. */
    int open;

    /** How many spares are wanted, how many are on their way, and whether more have been asked for. */
    int wanted;

    int arriving;
    boolean refillAsked;

    HopSlots(ConnPool.Key hop, HopTotal<P> total) {
        this.hop = hop;
        this.total = total;
    }

    int idleCount() {
        return idleCount;
    }

    void push(Slot<P> slot) {
        idle.computeIfAbsent(homeOf(slot), home -> new ArrayDeque<>()).addFirst(slot);
        idleCount++;
        total.add(slot);
    }

    void remove(Slot<P> slot) {
        ArrayDeque<Slot<P>> set = idle.get(homeOf(slot));
        if (set != null && set.removeFirstOccurrence(slot)) {
            idleCount--;
            total.remove(slot);
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

    // ------------------------------------------------------------------ who waits

    void enqueue(Waiter<P> waiter, long number) {
        waiting.put(waiter, number);
    }

    boolean leave(Waiter<P> waiter) {
        return waiting.remove(waiter) != null;
    }

    boolean isAwaited() {
        return !waiting.isEmpty();
    }

    /** The number of the first; there must be one. */
    long firstNumber() {
        return waiting.values().iterator().next();
    }

    /** Who waits longest; there must be one. */
    Waiter<P> first() {
        return waiting.keySet().iterator().next();
    }

    /** Takes the first out of the queue; there must be one. */
    Waiter<P> next() {
        Waiter<P> first = first();
        waiting.remove(first);
        return first;
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
