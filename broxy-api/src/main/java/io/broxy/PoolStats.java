package io.broxy;

/**
 * A snapshot of a pool's counters, all taken at the same moment. Broxy implements it, and may add methods.
 *
 * <p>Every connection that was created is idle or leased, or was evicted, discarded, detached or leaked.
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
        /**
         * A new connection took its place, because a request that must not be sent twice needs one that is not about to
         * end.
         */
        REPLACED,
        /** Its peer ended the stream while it was idle. */
        PEER_CLOSED,
        /** Its peer sent something while it was idle. */
        STRAY_BYTES,
        /** It broke while it was idle, for example by a reset. */
        FAILED,
        /**
         * No event loop can watch it, so it cannot be kept; or the lease needed a channel, and it was a {@linkplain
         * EngineStats.Transport#EPOLL socket of the engine's own}.
         */
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

    /** Leases since the start that got an idle connection. */
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
