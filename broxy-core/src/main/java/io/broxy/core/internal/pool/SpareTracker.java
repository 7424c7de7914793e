package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The keys that have spares, and the state of their spares. Threading: the pool's lock guards it. */
final class SpareTracker<P> {
    /**
     * A spare lost sooner than this indicates an unhealthy peer; one lost later, that the peer keeps idle connections only
     * briefly.
     */
    private static final long YOUNG_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PoolLimits limits;
    private final Places<P> places;
    private final LinkedHashSet<KeySlots<P>> warm = new LinkedHashSet<>();

    SpareTracker(PoolLimits limits, Places<P> places) {
        this.limits = limits;
        this.places = places;
    }

    /**
     * Sets the number of spares of a key.
     *
     * @throws IllegalArgumentException if that exceeds the idle caps
     */
    void setTarget(ConnPool.Key key, int spares) {
        KeySlots<P> slots = places.of(key);
        try {
            setTarget(slots, spares);
        } finally {
            places.forgetIfUnused(slots);
        }
    }

    private void setTarget(KeySlots<P> slots, int spares) {
        long all = spares;
        for (KeySlots<P> other : warm) {
            all += other == slots ? 0 : other.wanted;
        }
        if (spares > limits.maxIdlePerKey() || all > limits.maxIdle()) {
            throw new IllegalArgumentException("the pool keeps " + limits.maxIdlePerKey()
                    + " idle connections of a key and " + limits.maxIdle() + " in all, which does not hold " + spares
                    + " spares, " + all + " in all");
        }
        slots.wanted = spares;
        if (spares > 0) {
            warm.add(slots);
        } else {
            warm.remove(slots);
        }
    }

    /** Allocates places for missing spares, as many as the caps allow. */
    List<Slot<P>> open(ConnPool.Key key, int max) {
        KeySlots<P> slots = places.find(key);
        List<Slot<P>> opening = new ArrayList<>();
        if (slots == null) {
            return opening;
        }
        slots.refillAsked = false;
        while (opening.size() < max && needsSpare(slots)) {
            opening.add(open(slots));
        }
        return opening;
    }

    private Slot<P> open(KeySlots<P> slots) {
        places.add(slots);
        Slot<P> slot = new Slot<>(slots);
        slot.spare = true;
        slot.arriving = true;
        slots.arriving++;
        return slot;
    }

    /** Records that a spare became idle, or that it never will. */
    void arrived(Slot<P> slot) {
        if (slot.arriving) {
            slot.arriving = false;
            slot.owner.arriving--;
        }
    }

    void used(Slot<P> slot, PoolActions<P> actions) {
        if (slot.spare) {
            report(slot, SpareEvent.USED, actions);
            slot.spare = false;
        }
    }

    void notOpened(Slot<P> slot, PoolActions<P> actions) {
        if (slot.spare) {
            report(slot, SpareEvent.LOST, actions);
        }
    }

    void died(Slot<P> slot, long nowNanos, PoolActions<P> actions) {
        if (slot.spare && nowNanos - slot.openedNanos < YOUNG_NANOS) {
            report(slot, SpareEvent.LOST, actions);
        }
    }

    private void report(Slot<P> slot, SpareEvent event, PoolActions<P> actions) {
        if (slot.owner.wanted > 0) {
            actions.report(slot.key(), event);
        }
    }

    /** Whether the key needs another spare that the caps allow. */
    private boolean needsSpare(KeySlots<P> slots) {
        return slots.missing() > 0 && slots.open < limits.maxOpenPerKey() && places.open() < limits.maxOpen();
    }

    /** Requests the missing spares, once. */
    void requestMissing(PoolActions<P> actions) {
        if (warm.isEmpty()) {
            return; // the common case, without an iterator
        }
        for (KeySlots<P> slots : warm) {
            if (!slots.refillAsked && needsSpare(slots)) {
                slots.refillAsked = true;
                actions.report(slots.key, SpareEvent.MISSING);
            }
        }
    }

    /** Forgets all keys. */
    void clear() {
        warm.forEach(slots -> slots.wanted = 0);
        warm.clear();
    }
}
