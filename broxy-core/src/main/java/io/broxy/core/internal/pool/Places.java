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
 * The places that the connections of a pool take: how many the caps allow, and which idle connection is closed to make room.
 *
 * <p>Threading: the pool's lock guards it.
 */
final class Places<P> {
    private final PoolLimits limits;
    private final Counters count;
    private final Map<ConnPool.Key, KeySlots<P>> keys = new HashMap<>();
    private final IdleLives lives = new IdleLives();

    /** The one that has been idle longest first. */
    private final LinkedHashSet<Slot<P>> idle = new LinkedHashSet<>();

    private long idleNumber;

    /** Idle, leased and being opened. */
    private int open;

    /** When {@link IdlePool#expire} was asked to be called, or null. */
    private @Nullable Long expiryNanos;

    /** Keys with nothing open, to be forgotten at the end of a change if it stays so. */
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
        return keys.computeIfAbsent(key, added -> new KeySlots<>(added, lives.of(added)));
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

    /** Records that a peer has spoilt a connection, or closed it sooner than it promised, for the others of the key. */
    void learn(Slot<P> slot, Eviction cause, long idleNanos, long now) {
        KeySlots<P> slots = slot.owner;
        boolean byPeer = cause == Eviction.PEER_CLOSED || cause == Eviction.FAILED;
        long promised = slot.promise.idleNanos();
        if (cause == Eviction.STRAY_BYTES) {
            slots.life = lives.spoilt(slots.key, now);
        } else if (byPeer && idleNanos >= 0 && (promised < 0 || idleNanos < promised)) {
            slots.life = lives.closed(slots.key, idleNanos, now);
        }
    }

    // ------------------------------------------------------------------ open ones

    int open() {
        return open;
    }

    /** Whether the caps allow another connection of a key, in place of an idle one where the cap on all is reached. */
    boolean canOpen(KeySlots<P> slots) {
        return slots.open < limits.maxOpenPerKey() && (open < limits.maxOpen() || !idle.isEmpty());
    }

    /** Whether a waiter for a key gets an idle connection, or the right to open one. */
    boolean canServe(KeySlots<P> slots) {
        return slots.idleCount() > 0 || canOpen(slots);
    }

    /** The right to open a connection where no idle one will do, or null if the caps do not allow one. */
    @Nullable
    Slot<P> open(KeySlots<P> slots, IdleUse idleUse, PoolActions<P> actions) {
        if (idleUse == IdleUse.PROMISED) {
            giveWay(slots, actions);
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

    /** Counts one that is about to be opened. */
    void add(KeySlots<P> slots) {
        slots.open++;
        open++;
        count.opening++;
    }

    /** Frees the place of one that has ended. */
    void free(KeySlots<P> slots) {
        slots.open--;
        open--;
        if (slots.open == 0) {
            emptied.add(slots);
        }
    }

    /** Where the cap of the key is reached, closes the connection of the key that has been idle longest. */
    private void makeRoom(KeySlots<P> slots, PoolActions<P> actions) {
        Slot<P> oldest = slots.open < limits.maxOpenPerKey() ? null : slots.oldest();
        if (oldest != null) {
            evict(oldest, Eviction.CAP, actions);
        }
    }

    /**
     * Closes an idle connection, but no spare, for a new one that will be idle in its turn: otherwise, each request that takes
     * no idle connection would leave one more.
     */
    private void giveWay(KeySlots<P> slots, PoolActions<P> actions) {
        Slot<P> oldest = slots.idleCount() > slots.wanted ? slots.oldest() : null;
        if (oldest != null) {
            evict(oldest, Eviction.REPLACED, actions);
        } else {
            makeRoom(slots, actions);
        }
    }

    // ------------------------------------------------------------------ idle ones

    int idle() {
        return idle.size();
    }

    /** A connection is idle from now on. */
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

    /** Leases an idle connection of a key, the newest that will do; null if there is none. Expired ones are evicted on the way. */
    @Nullable
    Slot<P> take(KeySlots<P> slots, @Nullable Object home, IdleUse idleUse, long now, PoolActions<P> actions) {
        Slot<P> slot = switch (idleUse) {
            case ANY, UNREAD -> usable(slots, home, now, actions);
            case PROMISED -> reliable(slots, home, now);
            case NEVER -> null;
        };
        if (slot != null) {
            take(slot, State.LEASED, now);
            slot.unread = idleUse == IdleUse.UNREAD && !slots.isSpoilt(now);
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
     * @param next leased, or held
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

    /** Evicts what is beyond the idle caps. */
    void trim(KeySlots<P> slots, PoolActions<P> actions) {
        for (Slot<P> oldest; slots.idleCount() > limits.maxIdlePerKey() && (oldest = slots.oldest()) != null; ) {
            evict(oldest, Eviction.CAP, actions);
        }
        while (idle.size() > limits.maxIdle()) {
            evict(evictionCandidate(), Eviction.CAP, actions);
        }
    }

    /** The one that has been idle longest, spares last; there must be one. */
    private Slot<P> evictionCandidate() {
        for (Slot<P> slot : idle) {
            if (slot.owner.idleCount() > slot.owner.wanted) {
                return slot;
            }
        }
        return idle.iterator().next();
    }

    /** Evicts all that is idle. */
    void evictAll(PoolActions<P> actions) {
        while (!idle.isEmpty()) {
            evict(evictionCandidate(), Eviction.CLOSED, actions);
        }
        List.copyOf(keys.values()).forEach(this::forgetIfUnused);
        emptied.clear();
    }

    // ------------------------------------------------------------------ expiry

    /** Evicts what is overdue. */
    void sweep(long now, PoolActions<P> actions) {
        for (Slot<P> slot :
                idle.stream().filter(each -> limits.overdue(each, now) != null).toList()) {
            Eviction cause = limits.overdue(slot, now);
            if (cause != null) {
                evict(slot, cause, actions);
            }
        }
    }

    /** Evicts what is overdue, and plans the next expiry. */
    void expire(long now, PoolActions<P> actions) {
        expiryNanos = null;
        sweep(now, actions);
        for (Slot<P> slot : idle) {
            planExpiry(slot, now, actions);
        }
    }

    /** Asks for {@link IdlePool#expire} in time for an idle connection. */
    void planExpiry(Slot<P> slot, long now, PoolActions<P> actions) {
        long dueNanos = limits.dueNanos(slot, now);
        if (expiryNanos == null || dueNanos - expiryNanos < 0) {
            expiryNanos = dueNanos;
            actions.expireAt(dueNanos);
        }
    }
}
