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
 * <p>While the pool itself reads an idle connection, it is {@code HELD}: no lease gets it, and it still counts as idle.
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
        HELD,
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

    /** Whether the connection is open and not among the idle ones. */
    boolean isTaken() {
        return state == State.LEASED || state == State.HELD;
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

    /**
     * What a connection's peer has promised with its last response.
     *
     * <p>Threading: for the holder of the connection's place while it is leased; the pool's lock guards it while it is idle.
     */
    static final class Promise {
        private static final int NO_MAX = -1;

        private long idleNanos = IdleTimes.UNKNOWN;
        private int answers;
        private int max = NO_MAX;
        private int left = Integer.MAX_VALUE;

        /** For how long the peer keeps the idle connection, or {@link IdleTimes#UNKNOWN}. */
        long idleNanos() {
            return idleNanos;
        }

        /** Whether the connection may be used again. */
        boolean allowsMore() {
            return left > 0 && idleNanos != 0;
        }

        /**
         * The peer has answered a request.
         *
         * @param promisedNanos for how long it keeps the connection, or negative if it does not say that
         * @param said how many requests the connection takes, or negative. Some servers always name all that it ever takes, others
         *     count down to those that are left: a number below the one before is of those, any other of all
         */
        void answered(long promisedNanos, int said) {
            answers++;
            idleNanos = promisedNanos < 0 ? IdleTimes.UNKNOWN : promisedNanos;
            if (said < 0) {
                left = Integer.MAX_VALUE;
            } else {
                left = said < max ? said : said - answers;
            }
            max = said < 0 ? NO_MAX : said;
        }

        /** The connection was used, and what the peer answered is not known. */
        void forget() {
            idleNanos = IdleTimes.UNKNOWN;
            max = NO_MAX;
            left = Integer.MAX_VALUE;
        }
    }
}
