package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.pool.Slot.State;
import io.broxy.core.internal.time.Ticker;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The policy of a pool: which lease gets which connection, which waits, and which connection is closed. Under its lock it does
 * no I/O and calls no other code; what is left to be done comes out as {@link PoolActions}, and is done once the lock is free.
 *
 * <p>After each change, every waiter that can be served is served. So a new lease finds only waiters whom the caps keep from
 * what it may have, and cannot overtake one.
 *
 * <p>Threading: thread-safe; one lock guards everything.
 *
 * @param <P> an idle connection
 */
final class IdlePool<P> {
    private final PoolLimits limits;
    private final Ticker ticker;
    private final PoolActions.ActionRunner<P> runner;
    private final Object lock = new Object();
    private final Counters count = new Counters();
    private final Places<P> places;
    private final WaitingLine<P> line = new WaitingLine<>();
    private final SpareBook<P> spares;
    private boolean closed;

    IdlePool(PoolLimits limits, Ticker ticker, PoolActions.ActionRunner<P> runner) {
        this.limits = limits;
        this.ticker = ticker;
        this.runner = runner;
        this.places = new Places<>(limits, count);
        this.spares = new SpareBook<>(limits, places);
    }

    /** Makes a change under the lock, and then does what is left to be done of it. */
    private void change(Consumer<PoolActions<P>> change) {
        PoolActions<P> actions = new PoolActions<>();
        synchronized (lock) {
            change.accept(actions);
        }
        actions.run(runner);
    }

    // ------------------------------------------------------------------ getting a connection

    /**
     * Asks for a place.
     *
     * @param home the loop whose connections come first, or null for none
     * @param waiter called later if there is no place now
     * @return a place with an idle connection or to open one for, or null if the waiter waits or was refused
     */
    @Nullable
    Slot<P> claim(ConnPool.Key key, @Nullable Object home, Waiter<P> waiter) {
        PoolActions<P> actions = new PoolActions<>();
        Slot<P> slot = null;
        synchronized (lock) {
            long now = ticker.nanos();
            if (closed) {
                actions.refuse(waiter);
            } else {
                if (!line.isEmpty()) { // expired connections make room for earlier requests
                    places.sweep(now, actions);
                    serve(now, actions);
                }
                KeySlots<P> slots = places.of(key);
                slot = takeOrOpen(slots, home, waiter.idleUse(), now, actions);
                if (slot == null) {
                    line.join(slots, waiter);
                }
                settle(now, actions);
            }
        }
        actions.run(runner);
        return slot;
    }

    /** Stops waiting; false if the waiter was called already or never waited. */
    boolean cancel(ConnPool.Key key, Waiter<P> waiter) {
        synchronized (lock) {
            KeySlots<P> slots = places.find(key);
            if (slots == null || !line.leave(slots, waiter)) {
                return false;
            }
            places.forgetIfUnused(slots);
            return true;
        }
    }

    /**
     * Replaces an idle connection that turned out dead when it was leased: by another one, or by the right to open one in its
     * place, before any waiter.
     *
     * @return null if the pool is closed
     */
    @Nullable
    Slot<P> replace(Slot<P> dead, Eviction cause, @Nullable Object home, IdleUse idleUse) {
        PoolActions<P> actions = new PoolActions<>();
        Slot<P> slot;
        synchronized (lock) {
            long now = ticker.nanos();
            KeySlots<P> slots = dead.owner;
            places.learn(dead, cause, dead.idleNanos, now);
            count.reused--;
            count.leased--;
            count.evicted(cause);
            dead.state = State.ENDED;
            slot = closed ? null : take(slots, home, idleUse, now, actions);
            if (slot == null && !closed) {
                count.opening++;
                slot = new Slot<>(slots); // with the dead one's place in the caps
            } else {
                places.free(slots);
            }
            settle(now, actions);
        }
        actions.run(runner);
        return slot;
    }

    /** A connection was opened; false if the pool is closed, and the place is gone. */
    boolean opened(Slot<P> slot) {
        synchronized (lock) {
            count.opening--;
            if (closed) {
                slot.state = State.ENDED;
                places.free(slot.owner);
                places.forgetEmptied();
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
    void openFailed(Slot<P> slot) {
        change(actions -> {
            count.opening--;
            slot.state = State.ENDED;
            spares.arrived(slot);
            spares.notOpened(slot, actions);
            places.free(slot.owner);
            settle(ticker.nanos(), actions);
        });
    }

    private @Nullable Slot<P> takeOrOpen(
            KeySlots<P> slots, @Nullable Object home, IdleUse idleUse, long now, PoolActions<P> actions) {
        Slot<P> slot = take(slots, home, idleUse, now, actions);
        return slot != null ? slot : places.open(slots, idleUse, actions);
    }

    private @Nullable Slot<P> take(
            KeySlots<P> slots, @Nullable Object home, IdleUse idleUse, long now, PoolActions<P> actions) {
        Slot<P> slot = places.take(slots, home, idleUse, now, actions);
        if (slot != null) {
            count.reused++;
            spares.used(slot, actions);
        }
        return slot;
    }

    /** Whether a leased connection that was idle would still be leased for a request that cannot be sent twice. */
    boolean isReliable(Slot<P> slot) {
        synchronized (lock) {
            return limits.isReliable(slot, ticker.nanos());
        }
    }

    // ------------------------------------------------------------------ giving one back

    /** A leased connection is idle from now on, unless a waiter gets it or there is no room. */
    void park(Slot<P> slot, P parked, Object home) {
        change(actions -> park(slot, parked, home, actions));
    }

    private void park(Slot<P> slot, P parked, Object home, PoolActions<P> actions) {
        if (!slot.isTaken()) {
            return;
        }
        long now = ticker.nanos();
        spares.arrived(slot);
        count.returned(slot.state);
        places.park(slot, parked, home, now);
        Eviction overdue = closed ? Eviction.CLOSED : limits.overdue(slot, now);
        if (overdue != null) {
            places.evict(slot, overdue, actions);
        }
        serve(now, actions);
        places.trim(slot.owner, actions);
        if (slot.state == State.IDLE) {
            places.planExpiry(slot, now, actions);
        }
        settle(now, actions);
    }

    /** As {@link #park}, for a connection that was {@linkplain #hold held}. */
    void resume(Slot<P> slot, P parked, Object home) {
        change(actions -> resume(slot, parked, home, actions));
    }

    private void resume(Slot<P> slot, P parked, Object home, PoolActions<P> actions) {
        if (slot.isTaken()) {
            slot.quietNanos = ticker.nanos() - slot.idleSinceNanos;
            park(slot, parked, home, actions);
        }
    }

    /** As {@link #park}, for a connection that was idle, and was leased but not used. */
    void putBack(Slot<P> slot, P parked, Object home) {
        change(actions -> {
            if (slot.state == State.LEASED) {
                count.reused--;
                resume(slot, parked, home, actions);
            }
        });
    }

    /** Ends a lease; false if it has ended. */
    boolean end(Slot<P> slot, Ending how) {
        PoolActions<P> actions = new PoolActions<>();
        boolean ended;
        synchronized (lock) {
            if (how == Ending.UNANSWERED) {
                places.learn(slot, Eviction.PEER_CLOSED, slot.idleNanos, ticker.nanos());
            }
            ended = endLease(slot, null, actions);
            if (ended) {
                count.ended(how);
            }
        }
        actions.run(runner);
        return ended;
    }

    /** Ends a lease whose connection the pool cannot keep. */
    void drop(Slot<P> slot, Eviction cause) {
        change(actions -> endLease(slot, cause, actions));
    }

    /**
     * As {@link #drop}, for a connection that its peer has ended or spoilt.
     *
     * @param idleNanos how long it had been idle
     */
    void died(Slot<P> slot, Eviction cause, long idleNanos) {
        change(actions -> {
            places.learn(slot, cause, idleNanos, ticker.nanos());
            endLease(slot, cause, actions);
        });
    }

    private boolean endLease(Slot<P> slot, @Nullable Eviction counted, PoolActions<P> actions) {
        if (!slot.isTaken()) {
            return false;
        }
        long now = ticker.nanos();
        spares.arrived(slot);
        spares.died(slot, now, actions);
        count.returned(slot.state);
        slot.state = State.ENDED;
        if (counted != null) {
            count.evicted(counted);
        }
        places.free(slot.owner);
        settle(now, actions);
        return true;
    }

    // ------------------------------------------------------------------ idle ones

    /** Ends an idle connection, which the caller closes; false if it is not idle, being leased or gone. */
    boolean evict(Slot<P> slot, Eviction cause) {
        PoolActions<P> actions = new PoolActions<>();
        synchronized (lock) {
            if (slot.state != State.IDLE) {
                return false;
            }
            long now = ticker.nanos();
            places.remove(slot, cause);
            spares.died(slot, now, actions);
            settle(now, actions);
        }
        actions.run(runner);
        return true;
    }

    /**
     * Takes an idle connection out, so that the caller alone looks at it; to be {@linkplain #resume resumed} or {@linkplain
     * #died ended}. False if it is not idle, being leased or gone.
     */
    boolean hold(Slot<P> slot) {
        synchronized (lock) {
            if (slot.state != State.IDLE) {
                return false;
            }
            places.take(slot, State.HELD, ticker.nanos());
            return true;
        }
    }

    /** Evicts what is overdue; asks to be called again in time. */
    void expire() {
        change(actions -> {
            long now = ticker.nanos();
            places.expire(now, actions);
            settle(now, actions);
        });
    }

    // ------------------------------------------------------------------ spares

    /**
     * Sets how many spares a key has.
     *
     * @throws IllegalArgumentException if the idle caps cannot hold so many
     * @throws IllegalStateException if the pool is closed
     */
    void warm(ConnPool.Key key, int wanted) {
        change(actions -> {
            if (closed) {
                throw new IllegalStateException("the pool is closed");
            }
            spares.want(key, wanted);
            settle(ticker.nanos(), actions);
        });
    }

    /** Places for missing spares, as many as the caps allow, to be opened and parked. */
    List<Slot<P>> openSpares(ConnPool.Key key, int max) {
        synchronized (lock) {
            return spares.open(key, max);
        }
    }

    // ------------------------------------------------------------------ after each change

    private void settle(long now, PoolActions<P> actions) {
        serve(now, actions);
        spares.askFor(actions);
        places.forgetEmptied();
    }

    /** Serves every waiter that can be served, in order of arrival. */
    private void serve(long now, PoolActions<P> actions) {
        for (KeySlots<P> slots; (slots = line.first(places::canServe)) != null; ) {
            Slot<P> slot = takeOrOpen(slots, null, slots.first().idleUse(), now, actions);
            if (slot == null) {
                return; // cannot be, for an idle one that had expired has left its place
            }
            actions.grant(line.next(slots), slot);
        }
    }

    // ------------------------------------------------------------------ the whole

    /** Closes all that is idle and refuses all waiters; repeated calls change nothing. */
    void close() {
        change(actions -> {
            closed = true;
            spares.clear();
            line.refuseAll(actions);
            places.evictAll(actions);
        });
    }

    boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /** The loop of the connection that would be leased next, or null for none. */
    @Nullable
    Object homeOfNext(ConnPool.Key key) {
        synchronized (lock) {
            KeySlots<P> slots = places.find(key);
            Slot<P> next = slots == null ? null : slots.newest(null);
            return next == null ? null : next.home;
        }
    }

    PoolStats stats() {
        synchronized (lock) {
            return count.snapshot(places.idle(), line.size());
        }
    }
}
