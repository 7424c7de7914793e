package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Slot.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The places of a pool's connections: how many the caps allow, and which idle connection is closed to make room.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class Places<P> {
    private final PoolLimits limits;
    private final Counters count;
    private final Map<ConnPool.Key, KeySlots<P>> keys = new HashMap<>();
    private final PeerHistories histories = new PeerHistories();

    /** Longest idle first. */
    private final LinkedHashSet<Slot<P>> idle = new LinkedHashSet<>();

    private long idleNumber;

    /** Idle and leased connections, and those that are being opened. */
    private int open;

    /** When {@link IdlePool#expire} is scheduled to run, or null. */
    private @Nullable Long expiryNanos;

    /** Keys without open connections, which are removed at the end of a change unless that changes. */
    private final List<KeySlots<P>> emptied = new ArrayList<>(0);

    Places(PoolLimits limits, Counters count) {
        this.limits = limits;
        this.count = count;
    }

    // ------------------------------------------------------------------ keys

    @Nullable
    KeySlots<P> find(ConnPool.Key key) {
        return keys.get(key);
    }

    KeySlots<P> of(ConnPool.Key key) {
        return keys.computeIfAbsent(key, added -> new KeySlots<>(added, histories.of(added)));
    }

    void forgetIfUnused(KeySlots<P> slots) {
        if (slots.isUnused()) {
            keys.remove(slots.key, slots);
        }
    }

    void forgetEmptied() {
        if (!emptied.isEmpty()) {
            emptied.forEach(this::forgetIfUnused);
            emptied.clear();
        }
    }

    /** Records for the other connections of a key that the peer sent unexpected bytes, or closed one earlier than promised. */
    void recordPeerFault(Slot<P> slot, Eviction cause, long idleNanos, long now) {
        KeySlots<P> slots = slot.owner;
        boolean byPeer = cause == Eviction.PEER_CLOSED || cause == Eviction.FAILED;
        long promised = slot.promise.idleNanos();
        if (cause == Eviction.STRAY_BYTES) {
            slots.history = histories.receivedBytes(slots.key, now);
        } else if (byPeer && idleNanos >= 0 && (promised < 0 || idleNanos < promised)) {
            slots.history = histories.closed(slots.key, idleNanos, now);
        }
    }

    // ------------------------------------------------------------------ open connections

    int open() {
        return open;
    }

    /** Whether the caps allow another connection of a key, if need be by closing an idle one. */
    boolean canOpen(KeySlots<P> slots) {
        return slots.open < limits.maxOpenPerKey() && (open < limits.maxOpen() || !idle.isEmpty());
    }

    /** Whether a waiter for a key can get an idle connection or the right to open one. */
    boolean canServe(KeySlots<P> slots) {
        return slots.idleCount() > 0 || canOpen(slots);
    }

    /** Grants the right to open a connection if no idle one is acceptable; null if the caps do not allow one. */
    @Nullable
    Slot<P> open(KeySlots<P> slots, IdleUse idleUse, PoolActions<P> actions) {
        if (idleUse == IdleUse.PROMISED) {
            replaceIdle(slots, actions);
        } else if (idleUse == IdleUse.NEVER) {
            makeRoom(slots, actions);
        }
        if (!canOpen(slots)) {
            return null;
        }
        if (open >= limits.maxOpen()) {
            evict(evictionCandidate(), Eviction.CAP, actions);
        }
        add(slots);
        return new Slot<>(slots);
    }

    /** Counts a connection that is about to be opened. */
    void add(KeySlots<P> slots) {
        slots.open++;
        open++;
        count.opening++;
    }

    /** Frees the place of a closed connection. */
    void free(KeySlots<P> slots) {
        slots.open--;
        open--;
        if (slots.open == 0) {
            emptied.add(slots);
        }
    }

    /** If the cap of the key is reached, closes its longest-idle connection. */
    private void makeRoom(KeySlots<P> slots, PoolActions<P> actions) {
        Slot<P> oldest = slots.open < limits.maxOpenPerKey() ? null : slots.oldest();
        if (oldest != null) {
            evict(oldest, Eviction.CAP, actions);
        }
    }

    /**
     * Closes an idle connection, but no spare, in exchange for a new one that will later be idle itself: otherwise each request
     * that takes no idle connection would add one.
     */
    private void replaceIdle(KeySlots<P> slots, PoolActions<P> actions) {
        Slot<P> oldest = slots.idleCount() > slots.wanted ? slots.oldest() : null;
        if (oldest != null) {
            evict(oldest, Eviction.REPLACED, actions);
        } else {
            makeRoom(slots, actions);
        }
    }

    // ------------------------------------------------------------------ idle connections

    int idle() {
        return idle.size();
    }

    /** Makes a connection idle. */
    void park(Slot<P> slot, P parked, Object home, long now) {
        slot.parked = parked;
        slot.home = home;
        slot.state = State.IDLE;
        slot.idleSinceNanos = now - slot.quietNanos;
        slot.quietNanos = 0;
        slot.idleNumber = idleNumber++;
        slot.owner.push(slot);
        idle.add(slot);
    }

    /** Leases the most recent acceptable idle connection of a key; null if there is none. Expired ones are evicted. */
    @Nullable
    Slot<P> take(KeySlots<P> slots, @Nullable Object home, IdleUse idleUse, long now, PoolActions<P> actions) {
        Slot<P> slot = switch (idleUse) {
            case ANY, UNREAD -> usable(slots, home, now, actions);
            case PROMISED -> reliable(slots, home, now);
            case NEVER -> null;
        };
        if (slot != null) {
            take(slot, State.LEASED, now);
            slot.unread = idleUse == IdleUse.UNREAD && !slots.sentUnexpectedBytes(now);
        }
        return slot;
    }

    private @Nullable Slot<P> usable(KeySlots<P> slots, @Nullable Object home, long now, PoolActions<P> actions) {
        for (Slot<P> slot; (slot = slots.newest(home)) != null; ) {
            Eviction overdue = limits.overdue(slot, now);
            if (overdue == null) {
                return slot;
            }
            evict(slot, overdue, actions);
        }
        return null;
    }

    private @Nullable Slot<P> reliable(KeySlots<P> slots, @Nullable Object home, long now) {
        Slot<P> slot = slots.newest(home);
        if (slot != null && !limits.isReliable(slot, now)) {
            slot = slots.newest(null);
        }
        return slot != null && limits.isReliable(slot, now) ? slot : null;
    }

    /**
     * Takes an idle connection.
     *
     * @param next leased or held
     */
    void take(Slot<P> slot, State next, long now) {
        unpark(slot, next);
        slot.idleNanos = slot.spare ? IdleTimes.UNKNOWN : now - slot.idleSinceNanos;
        count.taken(next);
    }

    private void unpark(Slot<P> slot, State next) {
        idle.remove(slot);
        slot.owner.remove(slot);
        slot.state = next;
    }

    /** Removes an idle connection, which the caller closes. */
    void remove(Slot<P> slot, Eviction cause) {
        unpark(slot, State.ENDED);
        count.evicted(cause);
        free(slot.owner);
    }

    /** Removes an idle connection and has it closed. */
    void evict(Slot<P> slot, Eviction cause, PoolActions<P> actions) {
        remove(slot, cause);
        if (slot.parked != null) {
            actions.close(slot.parked);
        }
    }

    /** Evicts connections in excess of the idle caps. */
    void trim(KeySlots<P> slots, PoolActions<P> actions) {
        for (Slot<P> oldest; slots.idleCount() > limits.maxIdlePerKey() && (oldest = slots.oldest()) != null; ) {
            evict(oldest, Eviction.CAP, actions);
        }
        while (idle.size() > limits.maxIdle()) {
            evict(evictionCandidate(), Eviction.CAP, actions);
        }
    }

    /** The longest-idle connection, spares last; there must be one. */
    private Slot<P> evictionCandidate() {
        for (Slot<P> slot : idle) {
            if (slot.owner.idleCount() > slot.owner.wanted) {
                return slot;
            }
        }
        return idle.iterator().next();
    }

    /** Evicts all idle connections. */
    void evictAll(PoolActions<P> actions) {
        while (!idle.isEmpty()) {
            evict(evictionCandidate(), Eviction.CLOSED, actions);
        }
        List.copyOf(keys.values()).forEach(this::forgetIfUnused);
        emptied.clear();
    }

    // ------------------------------------------------------------------ expiry

    /** Evicts expired connections. */
    void sweep(long now, PoolActions<P> actions) {
        for (Slot<P> slot :
                idle.stream().filter(each -> limits.overdue(each, now) != null).toList()) {
            Eviction cause = limits.overdue(slot, now);
            if (cause != null) {
                evict(slot, cause, actions);
            }
        }
    }

    /** Evicts expired connections and schedules the next expiry. */
    void expire(long now, PoolActions<P> actions) {
        expiryNanos = null;
        sweep(now, actions);
        for (Slot<P> slot : idle) {
            planExpiry(slot, now, actions);
        }
    }

    /** Schedules {@link IdlePool#expire} for the expiry of an idle connection. */
    void planExpiry(Slot<P> slot, long now, PoolActions<P> actions) {
        long dueNanos = limits.dueNanos(slot, now);
        if (expiryNanos == null || dueNanos - expiryNanos < 0) {
            expiryNanos = dueNanos;
            actions.expireAt(dueNanos);
        }
    }
}
