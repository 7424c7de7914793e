package io.broxy.core.internal.pool;

import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.Counters.Ending;

/**
 * A lease on an event loop. {@link #giveBack}, {@link #detach} or {@link #close} ends it; later calls have no effect.
 *
 * <p>Threading: owned by the connection's event loop.
 */
public final class LoopLease {

    private final EnginePool pool;
    private final Slot<IdleConnection> slot;
    private final LoopConnection connection;
    private final boolean reusable;
    private final boolean idleBefore;
    private final long openingNanos;
    private boolean answered;
    private long answeredNanos;
    private boolean ended;

    /**
     * Begins a lease.
     *
     * @param reusable whether the pool may keep the connection; false if the dial sent a client's address
     * @param openingNanos how long it took to get the connection
     */
    LoopLease(
            EnginePool pool,
            Slot<IdleConnection> slot,
            LoopConnection connection,
            boolean reusable,
            long openingNanos) {
        this.pool = pool;
        this.slot = slot;
        this.connection = connection;
        this.reusable = reusable;
        this.idleBefore = slot.parked() != null;
        this.openingNanos = openingNanos;
    }

    /** The connection's place in the pool. */
    Slot<IdleConnection> slot() {
        return slot;
    }

    /** The connection, initially without interest and handler. */
    public LoopConnection connection() {
        return connection;
    }

    /** Whether the connection was idle before, so that its peer may be closing it. */
    public boolean wasIdle() {
        return idleBefore;
    }

    /** How long it took to open the connection if it was not idle, with the wait for a place in the pool. */
    public long openingNanos() {
        return openingNanos;
    }

    /** Whether the connection is acceptable for a request that must not be retried; see {@link IdleUse#PROMISED}. */
    public boolean isReliable() {
        if (answered) { // it has been idle since, even though it is leased
            long idleNanos = pool.ticker().nanos() - answeredNanos;
            return slot.promise.allowsMore()
                    && idleNanos < IdleTimes.ofUnrepeatable(slot.promise.idleNanos(), IdleTimes.UNKNOWN);
        }
        return !idleBefore || pool.policy.isReliable(slot);
    }

    /**
     * Records what the peer's response says about reusing the connection, which is idle until the next request. Without this
     * call the pool knows nothing about it when it is given back.
     *
     * @param promisedNanos how long the peer keeps the idle connection, or negative if it does not say so
     * @param max the number of requests that the peer allows on the connection, or negative
     */
    public void answered(long promisedNanos, int max) {
        slot.promise.answered(promisedNanos, max);
        answeredNanos = connection.loop().nowNanos();
        answered = true;
    }

    /**
     * Gives the connection back for reuse. It is closed instead if the peer allows no more requests, if the dial sent a
     * client's address, or if the connection needs threads.
     */
    public void giveBack() {
        if (!end()) {
            return;
        }
        if (answered) {
            slot.quietNanos = Math.max(0, pool.ticker().nanos() - answeredNanos);
        } else {
            slot.promise.forget();
        }
        if (!reusable || !slot.promise.allowsMore()) {
            connection.close();
            pool.policy.end(slot, Ending.DISCARDED);
        } else if (connection.takesThreads()) {
            connection.close(); // while idle, it would need one for watching it
            pool.policy.drop(slot, Eviction.UNWATCHABLE);
        } else if (connection.isOpen()) {
            IdleConnection.onLoop(pool, slot, connection);
        } else {
            pool.policy.end(slot, Ending.DISCARDED);
        }
    }

    /** Removes the connection from the pool; the caller owns it. */
    public void detach() {
        if (end()) {
            pool.policy.end(slot, Ending.DETACHED);
        }
    }

    /** Closes a connection that the peer closed or sent unexpected bytes over instead of a response. */
    public void closeUnanswered() {
        if (end()) {
            connection.close();
            pool.policy.end(slot, idleBefore ? Ending.UNANSWERED : Ending.DISCARDED);
        }
    }

    /** Closes the connection. */
    public void close() {
        if (end()) {
            connection.close();
            pool.policy.end(slot, Ending.DISCARDED);
        }
    }

    private boolean end() {
        assert connection.loop().inLoop();
        if (ended) {
            return false;
        }
        ended = true;
        return true;
    }
}
