package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;
import org.jspecify.annotations.Nullable;

/**
 * A connection's place in the pool, from the right to open it to its end.
 *
 * <pre>
 *              opened            park
 *   OPENING ──────────> LEASED ───────> IDLE
 *      │                  │  <───────    │
 *      │                  │    claim     │ evict
 *      └──────────────────┴──────────────┴──────> ENDED
 * </pre>
 *
 * <p>Threading: the pool's lock guards everything but {@code state}, which may be looked at without it.
 *
 * @param <P> an idle connection
 */
final class Slot<P> {
    enum State {
        OPENING,
        LEASED,
        IDLE,
        ENDED
    }

    final HopSlots<P> owner;
    volatile State state = State.OPENING;
    long openedNanos;
    long idleSinceNanos;

    /** Counts up, so that it orders what became idle in the same nanosecond. */
    long idleNumber;

    /** What lies idle, and on which loop; left in place when it is leased, for whoever leases it. */
    @Nullable
    P parked;

    @Nullable
    Object home;

    /** A spare that nobody has leased yet; {@code arriving} until it lies idle for the first time. */
    boolean spare;

    boolean arriving;

    /** Its neighbours among the idle connections of its hop, for all clients together. */
    @Nullable
    Slot<P> older;

    @Nullable
    Slot<P> newer;

    Slot(HopSlots<P> owner) {
        this.owner = owner;
    }

    Hop hop() {
        return owner.hop;
    }

    /** The idle connection that was leased with this place, or null if one is to be opened. Threading: for the holder. */
    @Nullable
    P parked() {
        return parked;
    }

    @Override
    public String toString() {
        return "Slot[" + hop() + ", " + state + "]";
    }
}
