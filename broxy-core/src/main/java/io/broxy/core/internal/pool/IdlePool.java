package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Slot.State;
import io.broxy.core.internal.time.Ticker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The policy of a pool: who gets what, and what goes. It does no I/O and calls nobody; what is to be done comes out as
 * {@link PoolActions}.
 *
 * <p>After each change, whoever waits and can be served is served. So whoever comes finds only those waiting whom the caps
 * keep from what he may have, and cannot push in.
 *
 * <p>Threading: thread-safe; one lock guards everything.
 *
 * @param <P> an idle connection
 */
final class IdlePool<P> {

    /** How a lease ends, but for {@link #park}. */
    enum Ending {
        DISCARDED,
        DETACHED,
        LEAKED
    }

    private final PoolLimits limits;
    private final Ticker ticker;
    private final Object lock = new Object();

    private final Map<ConnPool.Key, KeySlots<P>> hops = new HashMap<>();
    private final IdleSet<P> idle = new IdleSet<>();
    private final WaitingLine<P> line = new WaitingLine<>();
    private final IdleLives lives = new IdleLives();
    private final SpareBook<P> spares;
    private final Counters count = new Counters();
    private int open;

    /** When {@link #expire} has been asked for, or null. */
    private @Nullable Long expiryNanos;

    /** Hops with nothing open, to be forgotten at the end of a change if it stays so. */
    private final List<KeySlots<P>> emptied = new ArrayList<>(0);

    private boolean closed;

    IdlePool(PoolLimits limits, Ticker ticker) {
        this.limits = limits;
        this.ticker = ticker;
        this.spares = new SpareBook<>(limits);
    }

    // ------------------------------------------------------------------ getting a connection

    /**
     * Asks for a place.
     *
     * @param home the loop that is asked first, or null for none
     * @param waiter told later if there is no place now
     * @return a place with an idle connection or to open one for, or null if the waiter waits or was refused
     */
    @Nullable
    Slot<P> claim(ConnPool.Key hop, @Nullable Object home, Waiter<P> waiter, PoolActions<P> work) {
        synchronized (lock) {
            if (closed) {
                work.refuse(waiter);
                return null;
            }
            long now = ticker.nanos();
            if (!line.isEmpty()) { // what has expired makes room, for those who came before
                sweep(now, work);
                serve(now, work);
            }
            KeySlots<P> own = slotsOf(hop);
            Slot<P> slot = takeOrOpen(own, home, waiter.idleUse(), now, work);
            if (slot == null) {
                line.join(own, waiter);
            }
            settle(now, work);
            return slot;
        }
    }

    private KeySlots<P> slotsOf(ConnPool.Key hop) {
        return hops.computeIfAbsent(hop, key -> new KeySlots<>(key, lives.of(key)));
    }

    /** Waits no longer; false if the waiter has been told or never waited. */
    boolean cancel(ConnPool.Key hop, Waiter<P> waiter) {
        synchronized (lock) {
            KeySlots<P> own = hops.get(hop);
            if (own == null || !line.leave(own, waiter)) {
                return false;
            }
            forgetIfUnused(own);
            return true;
        }
    }

    /**
     * Instead of an idle connection that turned out dead when it was leased: another one, or the right to open one in its
     * place, for which nobody waits.
     *
     * @return null if the pool is closed
     */
    @Nullable
    Slot<P> replace(Slot<P> dead, Eviction cause, @Nullable Object home, IdleUse idleUse, PoolActions<P> work) {
        synchronized (lock) {
            long now = ticker.nanos();
            KeySlots<P> own = dead.owner;
            learn(dead, cause, dead.idleNanos, now);
            count.reused--;
            count.leased--;
            count.evicted(cause);
            dead.state = State.ENDED;
            Slot<P> slot = closed ? null : take(own, home, idleUse, now, work);
            if (slot == null && !closed) {
                count.opening++;
                slot = new Slot<>(own); // with the dead one's place in the caps
            } else {
                free(own);
            }
            settle(now, work);
            return slot;
        }
    }

    /** A connection was opened; false if the pool is closed, and the place is gone. */
    boolean opened(Slot<P> slot) {
        synchronized (lock) {
            count.opening--;
            if (closed) {
                slot.state = State.ENDED;
                free(slot.owner);
                forgetEmptied();
                return false;
            }
            slot.state = State.LEASED;
            slot.openedNanos = ticker.nanos();
            count.leased++;
            count.created++;
            return true;
        }
    }

    /** No connection was opened. */
    void openFailed(Slot<P> slot, PoolActions<P> work) {
        synchronized (lock) {
            count.opening--;
            slot.state = State.ENDED;
            spares.arrived(slot);
            spares.notOpened(slot, work);
            free(slot.owner);
            settle(ticker.nanos(), work);
        }
    }

    private @Nullable Slot<P> takeOrOpen(
            KeySlots<P> own, @Nullable Object home, IdleUse idleUse, long now, PoolActions<P> work) {
        Slot<P> slot = take(own, home, idleUse, now, work);
        if (slot != null) {
            return slot;
        }
        if (idleUse == IdleUse.PROMISED) {
            giveWay(own, work);
        } else if (idleUse == IdleUse.NEVER) {
            makeRoom(own, work);
        }
        return open(own, work);
    }

    /**
     * An idle connection, but no spare, goes for a new one that will be idle in its turn: otherwise, requests that take no idle
     * ones would leave one more with each.
     */
    private void giveWay(KeySlots<P> own, PoolActions<P> work) {
        Slot<P> oldest = own.idleCount() > own.wanted ? own.oldest() : null;
        if (oldest != null) {
            evictNow(oldest, Eviction.REPLACED, work);
        } else {
            makeRoom(own, work);
        }
    }

    /** At the hop's cap, the connection that has been idle longest goes for a new one. */
    private void makeRoom(KeySlots<P> own, PoolActions<P> work) {
        Slot<P> oldest = own.open < limits.maxOpenPerHop() ? null : own.oldest();
        if (oldest != null) {
            evictNow(oldest, Eviction.CAP, work);
        }
    }

    private @Nullable Slot<P> take(
            KeySlots<P> own, @Nullable Object home, IdleUse idleUse, long now, PoolActions<P> work) {
        Slot<P> slot = switch (idleUse) {
            case ANY, UNREAD -> usable(own, home, now, work);
            case PROMISED -> reliable(own, home, now);
            case NEVER -> null;
        };
        if (slot != null) {
            lease(slot, now);
            slot.unread = idleUse == IdleUse.UNREAD && !own.isSpoilt(now);
            count.reused++;
            spares.used(slot, work);
        }
        return slot;
    }

    /** What has expired unnoticed goes. */
    private @Nullable Slot<P> usable(KeySlots<P> own, @Nullable Object home, long now, PoolActions<P> work) {
        for (Slot<P> slot; (slot = own.newest(home)) != null; ) {
            Eviction overdue = limits.overdue(slot, now);
            if (overdue == null) {
                return slot;
            }
            evictNow(slot, overdue, work);
        }
        return null;
    }

    private @Nullable Slot<P> reliable(KeySlots<P> own, @Nullable Object home, long now) {
        Slot<P> slot = own.newest(home);
        if (slot != null && !limits.isReliable(slot, now)) {
            slot = own.newest(null);
        }
        return slot != null && limits.isReliable(slot, now) ? slot : null;
    }

    private void lease(Slot<P> slot, long now) {
        idle.remove(slot, State.LEASED);
        slot.idleNanos = slot.spare ? IdleTimes.UNKNOWN : now - slot.idleSinceNanos;
        count.leased++;
    }

    private @Nullable Slot<P> open(KeySlots<P> own, PoolActions<P> work) {
        if (!canOpen(own)) {
            return null;
        }
        if (open >= limits.maxOpen()) {
            evictNow(idle.evictionCandidate(), Eviction.CAP, work);
        }
        use(own);
        return new Slot<>(own);
    }

    /** Whether the caps allow another connection, at the cap of all keys in place of an idle one. */
    private boolean canOpen(KeySlots<P> own) {
        return own.open < limits.maxOpenPerHop() && (open < limits.maxOpen() || !idle.isEmpty());
    }

    private void use(KeySlots<P> own) {
        own.open++;
        open++;
        count.opening++;
    }

    /** Whether a connection that was leased from here would still be leased for what cannot be sent twice. */
    boolean isReliable(Slot<P> slot) {
        synchronized (lock) {
            return limits.isReliable(slot, ticker.nanos());
        }
    }

    // ------------------------------------------------------------------ giving one back

    /** A leased connection lies idle from now on, unless somebody waits for it or there is no room. */
    void park(Slot<P> slot, P parked, Object home, PoolActions<P> work) {
        synchronized (lock) {
            if (slot.state == State.LEASED) {
                park(slot, parked, home, ticker.nanos(), work);
            }
        }
    }

    /** As {@link #park}, for one that was leased from here and not used. */
    void putBack(Slot<P> slot, P parked, Object home, PoolActions<P> work) {
        synchronized (lock) {
            if (slot.state == State.LEASED) {
                count.reused--;
                resume(slot, parked, home, ticker.nanos(), work);
            }
        }
    }

    /** As {@link #park}, for one that was {@linkplain #hold held}. */
    void resume(Slot<P> slot, P parked, Object home, PoolActions<P> work) {
        synchronized (lock) {
            if (slot.state == State.LEASED) {
                resume(slot, parked, home, ticker.nanos(), work);
            }
        }
    }

    private void resume(Slot<P> slot, P parked, Object home, long now, PoolActions<P> work) {
        slot.quietNanos = now - slot.idleSinceNanos;
        park(slot, parked, home, now, work);
    }

    private void park(Slot<P> slot, P parked, Object home, long now, PoolActions<P> work) {
        KeySlots<P> own = slot.owner;
        spares.arrived(slot);
        count.leased--;
        idle.add(slot, parked, home, now);
        Eviction overdue = closed ? Eviction.CLOSED : limits.overdue(slot, now);
        if (overdue != null) {
            evictNow(slot, overdue, work);
        }
        serve(now, work);
        for (Slot<P> oldest;
                own.idleCount() > limits.maxIdlePerHop() && (oldest = own.oldest()) != null; ) {
            evictNow(oldest, Eviction.CAP, work);
        }
        while (idle.size() > limits.maxIdle()) {
            evictNow(idle.evictionCandidate(), Eviction.CAP, work);
        }
        if (slot.state == State.IDLE) {
            planExpiry(limits.dueNanos(slot, now), work);
        }
        settle(now, work);
    }

    /** Ends a lease; false if it has ended. */
    boolean end(Slot<P> slot, Ending how, PoolActions<P> work) {
        synchronized (lock) {
            if (!endLease(slot, work)) {
                return false;
            }
            switch (how) {
                case DISCARDED -> count.discarded++;
                case DETACHED -> count.detached++;
                case LEAKED -> count.leaked++;
            }
            return true;
        }
    }

    /** Ends a lease whose connection the pool cannot keep. */
    void drop(Slot<P> slot, Eviction cause, PoolActions<P> work) {
        synchronized (lock) {
            if (endLease(slot, work)) {
                count.evicted(cause);
            }
        }
    }

    /**
     * As {@link #drop}, for a connection that its peer has ended or spoilt.
     *
     * @param idleNanos how long it had been idle
     */
    void died(Slot<P> slot, Eviction cause, long idleNanos, PoolActions<P> work) {
        synchronized (lock) {
            learn(slot, cause, idleNanos, ticker.nanos());
            if (endLease(slot, work)) {
                count.evicted(cause);
            }
        }
    }

    /** Ends a lease whose connection was idle before, and was ended by its peer without an answer. */
    void ended(Slot<P> slot, PoolActions<P> work) {
        synchronized (lock) {
            learn(slot, Eviction.PEER_CLOSED, slot.idleNanos, ticker.nanos());
            if (endLease(slot, work)) {
                count.discarded++;
            }
        }
    }

    /** What others may expect of the peer, if it has spoilt the connection, or not kept it for as long as it has promised. */
    private void learn(Slot<P> slot, Eviction cause, long idleNanos, long now) {
        KeySlots<P> own = slot.owner;
        boolean byPeer = cause == Eviction.PEER_CLOSED || cause == Eviction.FAILED;
        long promised = slot.promise.idleNanos();
        if (cause == Eviction.STRAY_BYTES) {
            own.life = lives.spoilt(own.key, now);
        } else if (byPeer && idleNanos >= 0 && (promised < 0 || idleNanos < promised)) {
            own.life = lives.closed(own.key, idleNanos, now);
        }
    }

    private boolean endLease(Slot<P> slot, PoolActions<P> work) {
        if (slot.state != State.LEASED) {
            return false;
        }
        long now = ticker.nanos();
        spares.arrived(slot);
        spares.died(slot, now, work);
        slot.state = State.ENDED;
        count.leased--;
        free(slot.owner);
        settle(now, work);
        return true;
    }

    // ------------------------------------------------------------------ idle ones

    /** Ends an idle connection, which the caller closes; false if it is not idle, being leased or gone. */
    boolean evict(Slot<P> slot, Eviction cause, PoolActions<P> work) {
        synchronized (lock) {
            if (slot.state != State.IDLE) {
                return false;
            }
            long now = ticker.nanos();
            remove(slot, cause);
            spares.died(slot, now, work);
            settle(now, work);
            return true;
        }
    }

    /**
     * Takes an idle connection out, so that the caller can look at it and nobody else; to be {@linkplain #park parked} again
     * or {@linkplain #drop dropped}. False if it is not idle, being leased or gone.
     */
    boolean hold(Slot<P> slot) {
        synchronized (lock) {
            if (slot.state != State.IDLE) {
                return false;
            }
            lease(slot, ticker.nanos());
            return true;
        }
    }

    /** Evicts what is overdue; asks to be called again in time. */
    void expire(PoolActions<P> work) {
        synchronized (lock) {
            long now = ticker.nanos();
            expiryNanos = null;
            sweep(now, work);
            for (Slot<P> slot : idle) {
                planExpiry(limits.dueNanos(slot, now), work);
            }
            settle(now, work);
        }
    }

    private void sweep(long now, PoolActions<P> work) {
        for (Slot<P> slot : idle.overdue(limits, now)) {
            Eviction cause = limits.overdue(slot, now);
            if (cause != null) {
                evictNow(slot, cause, work);
            }
        }
    }

    private void planExpiry(long dueNanos, PoolActions<P> work) {
        if (expiryNanos == null || dueNanos - expiryNanos < 0) {
            expiryNanos = dueNanos;
            work.expireAt(dueNanos);
        }
    }

    private void evictNow(Slot<P> slot, Eviction cause, PoolActions<P> work) {
        remove(slot, cause);
        if (slot.parked != null) {
            work.close(slot.parked);
        }
    }

    private void remove(Slot<P> slot, Eviction cause) {
        idle.remove(slot, State.ENDED);
        count.evicted(cause);
        free(slot.owner);
    }

    // ------------------------------------------------------------------ spares

    /**
     * Sets how many spares a hop shall have.
     *
     * @throws IllegalArgumentException if the idle caps cannot hold so many
     * @throws IllegalStateException if the pool is closed
     */
    void warm(ConnPool.Key hop, int wanted, PoolActions<P> work) {
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("the pool is closed");
            }
            KeySlots<P> own = slotsOf(hop);
            try {
                spares.want(own, wanted);
            } finally {
                forgetIfUnused(own);
            }
            settle(ticker.nanos(), work);
        }
    }

    /** Places for spares that are missing, as many as the caps allow, to be opened and parked. */
    List<Slot<P>> openSpares(ConnPool.Key hop, int max) {
        synchronized (lock) {
            List<Slot<P>> slots = new ArrayList<>();
            KeySlots<P> own = hops.get(hop);
            if (own != null) {
                own.refillAsked = false;
                while (slots.size() < max && spares.lacks(own, open)) {
                    use(own);
                    slots.add(spares.open(own));
                }
            }
            return slots;
        }
    }

    // ------------------------------------------------------------------ after each change

    private void settle(long now, PoolActions<P> work) {
        serve(now, work);
        spares.askFor(open, work);
        forgetEmptied();
    }

    /** Serves whoever can be, in order of arrival. */
    private void serve(long now, PoolActions<P> work) {
        for (KeySlots<P> own; (own = line.first(this::isServable)) != null; ) {
            Slot<P> slot = takeOrOpen(own, null, own.first().idleUse(), now, work);
            if (slot == null) {
                return; // cannot be, for an idle one that had expired has left its place
            }
            work.grant(line.next(own), slot);
        }
    }

    private boolean isServable(KeySlots<P> own) {
        return own.idleCount() > 0 || canOpen(own);
    }

    private void free(KeySlots<P> own) {
        own.open--;
        open--;
        if (own.open == 0) {
            emptied.add(own);
        }
    }

    private void forgetEmptied() {
        if (!emptied.isEmpty()) {
            emptied.forEach(this::forgetIfUnused);
            emptied.clear();
        }
    }

    private void forgetIfUnused(KeySlots<P> own) {
        if (own.isUnused()) {
            hops.remove(own.key, own);
        }
    }

    // ------------------------------------------------------------------ the whole

    /** Ends all that is idle or waits; repeated calls change nothing. */
    void close(PoolActions<P> work) {
        synchronized (lock) {
            closed = true;
            spares.clear();
            for (KeySlots<P> own : line.hops()) {
                while (own.isAwaited()) {
                    work.refuse(line.next(own));
                }
            }
            while (!idle.isEmpty()) {
                evictNow(idle.evictionCandidate(), Eviction.CLOSED, work);
            }
            List.copyOf(hops.values()).forEach(this::forgetIfUnused);
            emptied.clear();
        }
    }

    boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /** Where the connection lies that would be leased next, or null for none. */
    @Nullable
    Object homeOfNext(ConnPool.Key hop) {
        synchronized (lock) {
            KeySlots<P> own = hops.get(hop);
            Slot<P> newest = own == null ? null : own.newest(null);
            return newest == null ? null : newest.home;
        }
    }

    PoolStats stats() {
        synchronized (lock) {
            return count.snapshot(idle.size(), line.size());
        }
    }
}
