package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import org.jspecify.annotations.Nullable;

/**
 * A connection's place in the pool, from the grant of the right to open it until it is closed.
 *
 * <pre>
 *              opened            park
 *   OPENING ──────────> LEASED ───────> IDLE
 *      │                  │  <───────    │
 *      │                  │    claim     │ evict
 *      └──────────────────┴──────────────┴──────> ENDED
 * </pre>
 *
 * <p>While the pool itself reads an idle connection, the slot is {@code HELD}: no lease gets the connection, and it still
 * counts as idle.
 *
 * <p>Threading: the pool's lock guards everything except {@code state}, which may be read without it.
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

    /**
     * How long the connection had been idle when last leased; {@link IdleTimes#UNKNOWN} for a spare, which carried no request
     * before.
     */
    long idleNanos;

    /** Leased without checking for incoming bytes; see {@link IdleUse#UNREAD}. Threading: for the holder. */
    boolean unread;

    /** How long the connection had no traffic when it was given back. Threading: for the holder. */
    long quietNanos;

    /** Threading: owned by the holder while leased; giving the connection back publishes it. */
    final Promise promise = new Promise();

    /** A sequence number that orders connections which became idle in the same nanosecond. */
    long idleNumber;

    /** The idle connection and its loop, which remain set while it is leased. */
    @Nullable
    P parked;

    @Nullable
    Object home;

    /** Whether this is a spare that was never leased; it is {@code arriving} until it is idle for the first time. */
    boolean spare;

    boolean arriving;

    Slot(KeySlots<P> owner) {
        this.owner = owner;
    }

    /** Whether the connection is open but not available. */
    boolean isTaken() {
        return state == State.LEASED || state == State.HELD;
    }

    ConnPool.Key key() {
        return owner.key;
    }

    /** The idle connection that this lease got, or null if one must be opened. Threading: for the holder. */
    @Nullable
    P parked() {
        return parked;
    }

    @Override
    public String toString() {
        return "Slot[" + key() + ", " + state + "]";
    }

    /**
     * What the peer promised about its connection in its last response.
     *
     * <p>Threading: for the holder of the connection's place while it is leased; the pool's lock guards it while it is idle.
     */
    static final class Promise {
        private static final int NO_MAX = -1;

        private long idleNanos = IdleTimes.UNKNOWN;
        private int answers;
        private int max = NO_MAX;
        private int left = Integer.MAX_VALUE;

        /** How long the peer keeps the idle connection, or {@link IdleTimes#UNKNOWN}. */
        long idleNanos() {
            return idleNanos;
        }

        /** Whether the connection may be reused. */
        boolean allowsMore() {
            return left > 0 && idleNanos != 0;
        }

        /**
         * Records the response to a request.
         *
         * @param promisedNanos how long the peer keeps the connection, or negative if it does not say so
         * @param requests the number of requests that the peer allows, or negative. Some servers always send the total for the
         *     connection, others the number that is left: a value below the previous one is a countdown, any other a total
         */
        void answered(long promisedNanos, int requests) {
            answers++;
            idleNanos = promisedNanos < 0 ? IdleTimes.UNKNOWN : promisedNanos;
            if (requests < 0) {
                left = Integer.MAX_VALUE;
            } else {
                left = requests < max ? requests : requests - answers;
            }
            max = requests < 0 ? NO_MAX : requests;
        }

        /** Records that the connection was used with an unknown response. */
        void forget() {
            idleNanos = IdleTimes.UNKNOWN;
            max = NO_MAX;
            left = Integer.MAX_VALUE;
        }
    }
}
