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
 * The policy of a pool: which lease gets which connection, which lease waits, and which connection is closed. Under its lock it
 * does no I/O and calls no other code: it collects {@link PoolActions}, which run after the lock is released.
 *
 * <p>Every change serves all waiters that it can. Any waiter that a new lease finds is thus blocked by a cap, and the new lease
 * cannot overtake it.
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
    private final WaitQueue<P> waiters = new WaitQueue<>();
    private final SpareTracker<P> spares;
    private boolean closed;

    IdlePool(PoolLimits limits, Ticker ticker, PoolActions.ActionRunner<P> runner) {
        this.limits = limits;
        this.ticker = ticker;
        this.runner = runner;
        this.places = new Places<>(limits, count);
        this.spares = new SpareTracker<>(limits, places);
    }

    /** Makes a change under the lock, then runs the resulting actions outside it. */
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
     * @param waiter called later if no place is available now
     * @return a place, which either has an idle connection or permits to open one; null if the waiter waits or was refused
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
                if (!waiters.isEmpty()) { // first let expired connections make room for earlier requests
                    places.sweep(now, actions);
                    serve(now, actions);
                }
                KeySlots<P> slots = places.of(key);
                slot = takeOrOpen(slots, home, waiter.idleUse(), now, actions);
                if (slot == null) {
                    waiters.join(slots, waiter);
                }
                settle(now, actions);
            }
        }
        actions.run(runner);
        return slot;
    }

    /** Removes a waiter; false if it was already called or never waited. */
    boolean cancel(ConnPool.Key key, Waiter<P> waiter) {
        synchronized (lock) {
            KeySlots<P> slots = places.find(key);
            if (slots == null || !waiters.leave(slots, waiter)) {
                return false;
            }
            places.forgetIfUnused(slots);
            return true;
        }
    }

    /**
     * Replaces an idle connection that was found dead when leased, with another idle one or with the right to open one. It
     * takes precedence over all waiters.
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
            places.recordPeerFault(dead, cause, dead.idleNanos, now);
            count.reused--;
            count.leased--;
            count.evicted(cause);
            dead.state = State.ENDED;
            slot = closed ? null : take(slots, home, idleUse, now, actions);
            if (slot == null && !closed) {
                count.opening++;
                slot = new Slot<>(slots); // takes over the dead connection's share of the caps
            } else {
                places.free(slots);
            }
            settle(now, actions);
        }
        actions.run(runner);
        return slot;
    }

    /** Records that the connection was opened; false if the pool is closed, which invalidates the place. */
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

    /** Records that no connection could be opened. */
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

    /** Whether a reused connection is still good enough for a request that must not be retried. */
    boolean isReliable(Slot<P> slot) {
        synchronized (lock) {
            return limits.isReliable(slot, ticker.nanos());
        }
    }

    // ------------------------------------------------------------------ giving back a connection

    /** Makes a leased connection idle, unless a waiter gets it or there is no room. */
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

    /** As {@link #park}, for an idle connection that was leased but not used. */
    void putBack(Slot<P> slot, P parked, Object home) {
        change(actions -> {
            if (slot.state == State.LEASED) {
                count.reused--;
                resume(slot, parked, home, actions);
            }
        });
    }

    /** Ends a lease; false if it has already ended. */
    boolean end(Slot<P> slot, Ending ending) {
        PoolActions<P> actions = new PoolActions<>();
        boolean ended;
        synchronized (lock) {
            if (ending == Ending.UNANSWERED) {
                places.recordPeerFault(slot, Eviction.PEER_CLOSED, slot.idleNanos, ticker.nanos());
            }
            ended = endLease(slot, null, actions);
            if (ended) {
                count.ended(ending);
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
     * As {@link #drop}, for a connection that the peer closed or sent unexpected bytes over.
     *
     * @param idleNanos how long it had been idle
     */
    void died(Slot<P> slot, Eviction cause, long idleNanos) {
        change(actions -> {
            places.recordPeerFault(slot, cause, idleNanos, ticker.nanos());
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

    // ------------------------------------------------------------------ idle connections

    /** Removes an idle connection, which the caller closes; false if it is no longer idle. */
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
     * Reserves an idle connection for the caller, which reads it and then {@linkplain #resume resumes} or {@linkplain #died
     * ends} it. False if it is no longer idle.
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

    /** Evicts expired connections and schedules its next run. */
    void expire() {
        change(actions -> {
            long now = ticker.nanos();
            places.expire(now, actions);
            settle(now, actions);
        });
    }

    // ------------------------------------------------------------------ spares

    /**
     * Sets the number of spares of a key.
     *
     * @throws IllegalArgumentException if that exceeds the idle caps
     * @throws IllegalStateException if the pool is closed
     */
    void warm(ConnPool.Key key, int wanted) {
        change(actions -> {
            if (closed) {
                throw new IllegalStateException("the pool is closed");
            }
            spares.setTarget(key, wanted);
            settle(ticker.nanos(), actions);
        });
    }

    /** Allocates places for missing spares, as many as the caps allow, for the caller to open and park. */
    List<Slot<P>> openSpares(ConnPool.Key key, int max) {
        synchronized (lock) {
            return spares.open(key, max);
        }
    }

    // ------------------------------------------------------------------ after each change

    private void settle(long now, PoolActions<P> actions) {
        serve(now, actions);
        spares.requestMissing(actions);
        places.forgetEmptied();
    }

    /** Serves every waiter that can be served, in order of arrival. */
    private void serve(long now, PoolActions<P> actions) {
        for (KeySlots<P> slots; (slots = waiters.first(places::canServe)) != null; ) {
            Slot<P> slot = takeOrOpen(slots, null, slots.first().idleUse(), now, actions);
            if (slot == null) {
                return; // cannot happen: expired connections have already freed their places
            }
            actions.grant(waiters.next(slots), slot);
        }
    }

    // ------------------------------------------------------------------ the whole pool

    /** Closes all idle connections and refuses all waiters; repeated calls have no effect. */
    void close() {
        change(actions -> {
            closed = true;
            spares.clear();
            waiters.refuseAll(actions);
            places.evictAll(actions);
        });
    }

    boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /** The loop of the connection that the next lease would get, or null for none. */
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
            return count.snapshot(places.idle(), waiters.size());
        }
    }
}
