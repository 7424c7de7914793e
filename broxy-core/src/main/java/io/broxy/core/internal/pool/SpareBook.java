package io.broxy.core.internal.pool;

import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import java.util.LinkedHashSet;
import java.util.concurrent.TimeUnit;

/** Which hops shall have spares, and what becomes of them. Threading: the pool's lock guards it. */
final class SpareBook<P> {
    /** A spare lost sooner than that says that its hop is not well; one lost later, that the hop lets nobody idle long. */
    private static final long YOUNG_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PoolLimits limits;
    private final LinkedHashSet<KeySlots<P>> warm = new LinkedHashSet<>();

    SpareBook(PoolLimits limits) {
        this.limits = limits;
    }

    /**
     * Sets how many a hop shall have.
     *
     * @throws IllegalArgumentException if the idle caps cannot hold so many
     */
    void want(KeySlots<P> hop, int spares) {
        long all = spares;
        for (KeySlots<P> other : warm) {
            all += other == hop ? 0 : other.wanted;
        }
        if (spares > limits.maxIdlePerHop() || all > limits.maxIdle()) {
            throw new IllegalArgumentException("the pool keeps " + limits.maxIdlePerHop()
                    + " idle connections of a hop and " + limits.maxIdle() + " in all, which does not hold " + spares
                    + " spares, " + all + " in all");
        }
        hop.wanted = spares;
        if (spares > 0) {
            warm.add(hop);
        } else {
            warm.remove(hop);
        }
    }

    /** A place for one that is missing. */
    Slot<P> open(KeySlots<P> hop) {
        Slot<P> slot = new Slot<>(hop);
        slot.spare = true;
        slot.arriving = true;
        hop.arriving++;
        return slot;
    }

    /** It lies idle, or never will. */
    void arrived(Slot<P> slot) {
        if (slot.arriving) {
            slot.arriving = false;
            slot.owner.arriving--;
        }
    }

    void used(Slot<P> slot, PoolActions<P> work) {
        if (slot.spare) {
            report(slot, SpareEvent.USED, work);
            slot.spare = false;
        }
    }

    void notOpened(Slot<P> slot, PoolActions<P> work) {
        if (slot.spare) {
            report(slot, SpareEvent.LOST, work);
        }
    }

    void died(Slot<P> slot, long nowNanos, PoolActions<P> work) {
        if (slot.spare && nowNanos - slot.openedNanos < YOUNG_NANOS) {
            report(slot, SpareEvent.LOST, work);
        }
    }

    private void report(Slot<P> slot, SpareEvent news, PoolActions<P> work) {
        if (slot.owner.wanted > 0) {
            work.report(slot.hop(), news);
        }
    }

    /** Whether one is missing that the caps allow. */
    boolean lacks(KeySlots<P> hop, int open) {
        return hop.missing() > 0 && hop.open < limits.maxOpenPerHop() && open < limits.maxOpen();
    }

    /** Asks for those that are missing, once. */
    void askFor(int open, PoolActions<P> work) {
        if (warm.isEmpty()) {
            return; // as nearly always, and without an iterator
        }
        for (KeySlots<P> hop : warm) {
            if (!hop.refillAsked && lacks(hop, open)) {
                hop.refillAsked = true;
                work.report(hop.key, SpareEvent.MISSING);
            }
        }
    }

    /** No hop shall have any. */
    void clear() {
        warm.forEach(hop -> hop.wanted = 0);
        warm.clear();
    }
}
