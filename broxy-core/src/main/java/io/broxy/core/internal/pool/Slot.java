package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
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

    final KeySlots<P> owner;
    volatile State state = State.OPENING;
    long openedNanos;
    long idleSinceNanos;

    /** How long it had been idle when it was leased last; {@link IdleTimes#UNKNOWN} for a spare, which had carried no request. */
    long idleNanos;

    /** Leased without a look at what has come: see {@link IdleUse#UNREAD}. Threading: for the holder. */
    boolean unread;

    /** How long it has been without traffic when it is given back. Threading: for the holder. */
    long quietNanos;

    /** Threading: for the holder while it is leased, which publishes it by giving the connection back. */
    final Promise promise = new Promise();

    /** Counts up, so that it orders what became idle in the same nanosecond. */
    long idleNumber;

    /** The idle connection and its loop; they stay here while it is leased, for the lease. */
    @Nullable
    P parked;

    @Nullable
    Object home;

    /** A spare that was not leased yet; {@code arriving} until it is idle for the first time. */
    boolean spare;

    boolean arriving;

    Slot(KeySlots<P> owner) {
        this.owner = owner;
    }

    /** For how long an idle connection may be used for what can be sent once more. */
    long usableNanos(long nowNanos) {
        return spare ? Long.MAX_VALUE : IdleTimes.ofRepeatable(promise.idleNanos(), owner.livedNanos(nowNanos));
    }

    /** As {@link #usableNanos}, for what cannot; 0 if not at all. */
    long reliableNanos(long nowNanos) {
        return IdleTimes.ofUnrepeatable(promise.idleNanos(), owner.livedNanos(nowNanos));
    }

    ConnPool.Key key() {
        return owner.key;
    }

    /** The idle connection that was leased with this place, or null if one is to be opened. Threading: for the holder. */
    @Nullable
    P parked() {
        return parked;
    }

    @Override
    public String toString() {
        return "Slot[" + key() + ", " + state + "]";
    }
}
