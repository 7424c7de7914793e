package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.pool.Slot.State;
import io.broxy.core.internal.pool.Work.News;
import io.broxy.core.internal.time.Ticker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The policy of a pool: who gets what, and what goes. It does no I/O and calls nobody; what is to be done comes out as
 * {@link Work}.
 *
 * <p>After each change, whoever waits and can be served is served. So whoever comes finds only those waiting whom the caps
 * keep from what he may have, and cannot push in.
 *
 * <p>Threading: thread-safe; one lock guards everything.
 *
 * @param <P> an idle connection
 */
final class IdlePool<P> {
    /** A spare lost sooner than that says that its hop is not well; one lost later, that the hop lets nobody idle long. */
    private static final long YOUNG_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Limits limits;
    private final Ticker ticker;
    private final Object lock = new Object();

    private final Map<Hop, HopSlots<P>> hops = new HashMap<>();
    /** Of all hops, the one that has been idle longest first. */
    private final LinkedHashSet<Slot<P>> idle = new LinkedHashSet<>();
    /** Those that somebody waits for. */
    private final LinkedHashSet<HopSlots<P>> awaited = new LinkedHashSet<>();
    /** Those of which spares are wanted. */
    private final LinkedHashSet<HopSlots<P>> warm = new LinkedHashSet<>();

    private final Counters count = new Counters();
    private int open;
    private long waiterNumber;
    private long idleNumber;
    /** When {@link #expire} has been asked for, or null. */
    private @Nullable Long expiryNanos;

    /** Hops with nothing open, to be forgotten at the end of a change if it stays so. */
    private final List<HopSlots<P>> emptied = new ArrayList<>(0);

    private boolean closed;

    IdlePool(Limits limits, Ticker ticker) {
        this.limits = limits;
        this.ticker = ticker;
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
    Slot<P> claim(Hop hop, @Nullable Object home, Waiter<P> waiter, Work<P> work) {
        synchronized (lock) {
            if (closed) {
                work.refuse(waiter);
                return null;
            }
            long now = ticker.nanos();
            if (!awaited.isEmpty()) { // what has expired makes room, for those who came before
                sweep(now, work);
                serve(now, work);
            }
            HopSlots<P> own = hops.computeIfAbsent(hop, HopSlots::new);
            Slot<P> slot = takeOrOpen(own, home, now, work);
            if (slot == null) {
                own.enqueue(waiter, waiterNumber++);
                awaited.add(own);
                count.waiting++;
            }
            settle(now, work);
            return slot;
        }
    }

    /** Waits no longer; false if the waiter has been told or never waited. */
    boolean cancel(Hop hop, Waiter<P> waiter) {
        synchronized (lock) {
            HopSlots<P> own = hops.get(hop);
            if (own == null || !own.leave(waiter)) {
                return false;
            }
            left(own);
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
    Slot<P> replace(Slot<P> dead, Eviction cause, @Nullable Object home, Work<P> work) {
        synchronized (lock) {
            long now = ticker.nanos();
            HopSlots<P> own = dead.owner;
            count.reused--;
            count.leased--;
            count.evicted(cause);
            dead.state = State.ENDED;
            Slot<P> slot = closed ? null : take(own, home, now, work);
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
    void openFailed(Slot<P> slot, Work<P> work) {
        synchronized (lock) {
            count.opening--;
            slot.state = State.ENDED;
            arrived(slot);
            if (slot.spare && slot.owner.wanted > 0) {
                work.report(slot.hop(), News.LOST);
            }
            free(slot.owner);
            settle(ticker.nanos(), work);
        }
    }

    private @Nullable Slot<P> takeOrOpen(HopSlots<P> own, @Nullable Object home, long now, Work<P> work) {
        Slot<P> slot = take(own, home, now, work);
        return slot != null ? slot : open(own, work);
    }

    private @Nullable Slot<P> take(HopSlots<P> own, @Nullable Object home, long now, Work<P> work) {
        for (Slot<P> slot; (slot = own.newest(home)) != null; ) {
            Eviction overdue = limits.overdue(slot, now);
            if (overdue != null) {
                evictNow(slot, overdue, now, work);
                continue;
            }
            lease(slot);
            count.reused++;
            if (slot.spare && own.wanted > 0) {
                work.report(own.hop, News.USED);
            }
            slot.spare = false;
            return slot;
        }
        return null;
    }

    private void lease(Slot<P> slot) {
        idle.remove(slot);
        slot.owner.remove(slot);
        slot.state = State.LEASED;
        count.leased++;
    }

    private @Nullable Slot<P> open(HopSlots<P> own, Work<P> work) {
        if (own.open >= limits.maxOpenPerHop()) {
            return null;
        }
        if (open >= limits.maxOpen()) {
            if (idle.isEmpty()) {
                return null;
            }
            evictNow(dispensable(), Eviction.CAP, ticker.nanos(), work);
        }
        own.open++;
        open++;
        count.opening++;
        return new Slot<>(own);
    }

    /** The one that has been idle longest, spares last; there must be one. */
    private Slot<P> dispensable() {
        for (Slot<P> slot : idle) {
            if (slot.owner.idleCount() > slot.owner.wanted) {
                return slot;
            }
        }
        return idle.iterator().next();
    }

    // ------------------------------------------------------------------ giving one back

    /** A leased connection lies idle from now on, unless somebody waits for it or there is no room. */
    void park(Slot<P> slot, P parked, Object home, Work<P> work) {
        synchronized (lock) {
            if (slot.state == State.LEASED) {
                park(slot, parked, home, ticker.nanos(), work);
            }
        }
    }

    /** As {@link #park}, for one that was leased from here and not used. */
    void putBack(Slot<P> slot, P parked, Object home, Work<P> work) {
        synchronized (lock) {
            count.reused--;
            park(slot, parked, home, ticker.nanos(), work);
        }
    }

    private void park(Slot<P> slot, P parked, Object home, long now, Work<P> work) {
        HopSlots<P> own = slot.owner;
        arrived(slot);
        count.leased--;
        slot.parked = parked;
        slot.home = home;
        slot.state = State.IDLE;
        slot.idleSinceNanos = now;
        slot.idleNumber = idleNumber++;
        own.push(slot);
        idle.add(slot);
        Eviction overdue = closed ? Eviction.CLOSED : limits.overdue(slot, now);
        if (overdue != null) {
            evictNow(slot, overdue, now, work);
        }
        serve(now, work);
        for (Slot<P> oldest; own.idleCount() > limits.maxIdlePerHop() && (oldest = own.oldest()) != null; ) {
            evictNow(oldest, Eviction.CAP, now, work);
        }
        while (idle.size() > limits.maxIdle()) {
            evictNow(dispensable(), Eviction.CAP, now, work);
        }
        if (slot.state == State.IDLE) {
            planExpiry(limits.dueNanos(slot, now), work);
        }
        settle(now, work);
    }

    /** Ends a lease; false if it has ended. */
    boolean discard(Slot<P> slot, Work<P> work) {
        synchronized (lock) {
            if (!endLease(slot, work)) {
                return false;
            }
            count.discarded++;
            return true;
        }
    }

    /** Ends a lease, the connection being somebody else's from now on; false if it has ended. */
    boolean detach(Slot<P> slot, Work<P> work) {
        synchronized (lock) {
            if (!endLease(slot, work)) {
                return false;
            }
            count.detached++;
            return true;
        }
    }

    /** Ends a lease that nobody can end any more; false if it has ended. */
    boolean leaked(Slot<P> slot, Work<P> work) {
        synchronized (lock) {
            if (!endLease(slot, work)) {
                return false;
            }
            count.leaked++;
            return true;
        }
    }

    /** Ends a lease whose connection the pool cannot keep. */
    void drop(Slot<P> slot, Eviction cause, Work<P> work) {
        synchronized (lock) {
            if (endLease(slot, work)) {
                count.evicted(cause);
            }
        }
    }

    private boolean endLease(Slot<P> slot, Work<P> work) {
        if (slot.state != State.LEASED) {
            return false;
        }
        long now = ticker.nanos();
        arrived(slot);
        lostYoung(slot, now, work);
        slot.state = State.ENDED;
        count.leased--;
        free(slot.owner);
        settle(now, work);
        return true;
    }

    // ------------------------------------------------------------------ idle ones

    /** Ends an idle connection, which the caller closes; false if it is not idle, being leased or gone. */
    boolean evict(Slot<P> slot, Eviction cause, Work<P> work) {
        synchronized (lock) {
            if (slot.state != State.IDLE) {
                return false;
            }
            long now = ticker.nanos();
            end(slot, cause, now, work);
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
            lease(slot);
            return true;
        }
    }

    /** Evicts what is overdue; asks to be called again in time. */
    void expire(Work<P> work) {
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

    private void sweep(long now, Work<P> work) {
        List<Slot<P>> overdue = new ArrayList<>(0);
        for (Slot<P> slot : idle) {
            if (limits.overdue(slot, now) != null) {
                overdue.add(slot);
            }
        }
        for (Slot<P> slot : overdue) {
            Eviction cause = limits.overdue(slot, now);
            if (cause != null) {
                evictNow(slot, cause, now, work);
            }
        }
    }

    private void planExpiry(long dueNanos, Work<P> work) {
        if (expiryNanos == null || dueNanos - expiryNanos < 0) {
            expiryNanos = dueNanos;
            work.expireAt(dueNanos);
        }
    }

    private void evictNow(Slot<P> slot, Eviction cause, long now, Work<P> work) {
        end(slot, cause, now, work);
        if (slot.parked != null) {
            work.close(slot.parked);
        }
    }

    private void end(Slot<P> slot, Eviction cause, long now, Work<P> work) {
        idle.remove(slot);
        slot.owner.remove(slot);
        slot.state = State.ENDED;
        count.evicted(cause);
        if (cause == Eviction.PEER_CLOSED || cause == Eviction.STRAY_BYTES || cause == Eviction.FAILED) {
            lostYoung(slot, now, work);
        }
        free(slot.owner);
    }

    private void lostYoung(Slot<P> slot, long now, Work<P> work) {
        if (slot.spare && slot.owner.wanted > 0 && now - slot.openedNanos < YOUNG_NANOS) {
            work.report(slot.hop(), News.LOST);
        }
    }

    // ------------------------------------------------------------------ spares

    /**
     * Sets how many spares a hop shall have.
     *
     * @throws IllegalArgumentException if the idle caps cannot hold so many
     * @throws IllegalStateException if the pool is closed
     */
    void warm(Hop hop, int spares, Work<P> work) {
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("the pool is closed");
            }
            HopSlots<P> own = hops.computeIfAbsent(hop, HopSlots::new);
            int all = spares;
            for (HopSlots<P> other : warm) {
                all += other == own ? 0 : other.wanted;
            }
            if (spares > limits.maxIdlePerHop() || all > limits.maxIdle()) {
                forgetIfUnused(own);
                throw new IllegalArgumentException("the pool keeps " + limits.maxIdlePerHop()
                        + " idle connections of a hop and " + limits.maxIdle() + " in all, which does not hold "
                        + spares + " spares, " + all + " in all");
            }
            own.wanted = spares;
            if (spares > 0) {
                warm.add(own);
            } else {
                warm.remove(own);
                forgetIfUnused(own);
            }
            settle(ticker.nanos(), work);
        }
    }

    /** Places for spares that are missing, as many as the caps allow, to be opened and parked. */
    List<Slot<P>> openSpares(Hop hop, int max) {
        synchronized (lock) {
            List<Slot<P>> slots = new ArrayList<>();
            HopSlots<P> own = hops.get(hop);
            if (own != null) {
                own.refillAsked = false;
                while (slots.size() < max && lacksSpares(own)) {
                    own.open++;
                    open++;
                    count.opening++;
                    own.arriving++;
                    Slot<P> slot = new Slot<>(own);
                    slot.spare = true;
                    slot.arriving = true;
                    slots.add(slot);
                }
            }
            return slots;
        }
    }

    private boolean lacksSpares(HopSlots<P> own) {
        return own.missing() > 0 && own.open < limits.maxOpenPerHop() && open < limits.maxOpen();
    }

    private void arrived(Slot<P> slot) {
        if (slot.arriving) {
            slot.arriving = false;
            slot.owner.arriving--;
        }
    }

    // ------------------------------------------------------------------ after each change

    private void settle(long now, Work<P> work) {
        serve(now, work);
        for (HopSlots<P> own : warm) {
            if (!own.refillAsked && lacksSpares(own)) {
                own.refillAsked = true;
                work.report(own.hop, News.MISSING);
            }
        }
        forgetEmptied();
    }

    /** Serves whoever can be, in order of arrival. */
    private void serve(long now, Work<P> work) {
        for (HopSlots<P> own; (own = firstServable()) != null; ) {
            Slot<P> slot = takeOrOpen(own, null, now, work);
            if (slot == null) {
                return; // cannot be, for an idle one that had expired has left its place
            }
            Waiter<P> waiter = own.next();
            left(own);
            work.grant(waiter, slot);
        }
    }

    private @Nullable HopSlots<P> firstServable() {
        HopSlots<P> first = null;
        for (HopSlots<P> own : awaited) {
            boolean servable = own.idleCount() > 0
                    || (own.open < limits.maxOpenPerHop() && (open < limits.maxOpen() || !idle.isEmpty()));
            if (servable && (first == null || own.firstNumber() < first.firstNumber())) {
                first = own;
            }
        }
        return first;
    }

    private void left(HopSlots<P> own) {
        count.waiting--;
        if (!own.isAwaited()) {
            awaited.remove(own);
        }
    }

    private void free(HopSlots<P> own) {
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

    private void forgetIfUnused(HopSlots<P> own) {
        if (own.isUnused()) {
            hops.remove(own.hop, own);
        }
    }

    // ------------------------------------------------------------------ the whole

    /** Ends all that is idle or waits; repeated calls change nothing. */
    void close(Work<P> work) {
        synchronized (lock) {
            closed = true;
            long now = ticker.nanos();
            for (HopSlots<P> own : List.copyOf(warm)) {
                own.wanted = 0;
                emptied.add(own);
            }
            warm.clear();
            for (HopSlots<P> own : List.copyOf(awaited)) {
                while (own.isAwaited()) {
                    work.refuse(own.next());
                    left(own);
                }
                emptied.add(own);
            }
            for (Slot<P> slot : List.copyOf(idle)) {
                evictNow(slot, Eviction.CLOSED, now, work);
            }
            forgetEmptied();
        }
    }

    boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /** Where the connection lies that would be leased next, or null for none. */
    @Nullable
    Object homeOfNext(Hop hop) {
        synchronized (lock) {
            HopSlots<P> own = hops.get(hop);
            Slot<P> newest = own == null ? null : own.newest(null);
            return newest == null ? null : newest.home;
        }
    }

    PoolStats stats() {
        synchronized (lock) {
            return count.snapshot(idle.size());
        }
    }
}
