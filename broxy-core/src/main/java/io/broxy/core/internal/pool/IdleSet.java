package io.broxy.core.internal.pool;

import io.broxy.core.internal.pool.Slot.State;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;

/** All idle connections. Threading: the pool's lock guards it. */
final class IdleSet<P> implements Iterable<Slot<P>> {
    /** The one that has been idle longest first. */
    private final LinkedHashSet<Slot<P>> slots = new LinkedHashSet<>();

    private long number;

    int size() {
        return slots.size();
    }

    boolean isEmpty() {
        return slots.isEmpty();
    }

    @Override
    public Iterator<Slot<P>> iterator() {
        return slots.iterator();
    }

    void add(Slot<P> slot, P parked, Object home, long nowNanos) {
        slot.parked = parked;
        slot.home = home;
        slot.state = State.IDLE;
        slot.idleSinceNanos = nowNanos - slot.quietNanos;
        slot.quietNanos = 0;
        slot.idleNumber = number++;
        slot.owner.push(slot);
        slots.add(slot);
    }

    /** Takes one out, for what it is from now on. */
    void remove(Slot<P> slot, State next) {
        slots.remove(slot);
        slot.owner.remove(slot);
        slot.state = next;
    }

    /** The one that has been idle longest, spares last; there must be one. */
    Slot<P> evictionCandidate() {
        for (Slot<P> slot : slots) {
            if (slot.owner.idleCount() > slot.owner.wanted) {
                return slot;
            }
        }
        return slots.iterator().next();
    }

    List<Slot<P>> overdue(PoolLimits limits, long nowNanos) {
        List<Slot<P>> overdue = new ArrayList<>(0);
        for (Slot<P> slot : slots) {
            if (limits.overdue(slot, nowNanos) != null) {
                overdue.add(slot);
            }
        }
        return overdue;
    }
}
