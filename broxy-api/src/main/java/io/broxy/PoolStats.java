package io.broxy;

/**
 * A snapshot of a pool's counters, all of one moment. Implemented by Broxy only.
 *
 * <p>Every connection created is idle, leased, or has ended as one of evicted, discarded, detached and leaked.
 *
 * <p>Threading: immutable.
 */
public interface PoolStats {

    /** Why the pool closed a connection. */
    enum Eviction {
        /** It was idle for the idle timeout, or for nearly as long as its peer keeps idle connections. */
        IDLE_TIMEOUT,
        /** It had reached the maximum age. */
        MAX_AGE,
        /** There were too many: idle ones, or open ones where another key needed the place. */
        CAP,
        /** A new one took its place: a request that must not be sent twice goes over no connection that may be ending. */
        REPLACED,
        /** Its peer ended the stream while it was idle. */
        PEER_CLOSED,
        /** Its peer sent something while it was idle. */
        STRAY_BYTES,
        /** It broke while it was idle, by a reset for one. */
        FAILED,
        /** No event loop can watch it, so it cannot be kept. */
        UNWATCHABLE,
        /** The pool was closed. */
        CLOSED
    }

    /** Idle connections. */
    int idle();

    /** Connections that are leased. */
    int leased();

    /** Connections being dialed. */
    int opening();

    /** Leases that wait for the caps. */
    int waiting();

    /** Connections opened since the start, spares included. */
    long created();

    /** Leases since the start that were served with an idle connection. */
    long reused();

    /** Connections closed by the pool since the start. */
    default long evicted() {
        long sum = 0;
        for (Eviction cause : Eviction.values()) {
            sum += evicted(cause);
        }
        return sum;
    }

    /** Connections closed by the pool for one cause. */
    long evicted(Eviction cause);

    /** Leases since the start that ended in {@link ConnPool.Lease#close}. */
    long discarded();

    /** Leases since the start that ended in {@link ConnPool.Lease#detach}. */
    long detached();

    /** Leases since the start that became garbage without an end. */
    long leaked();
}
