package io.broxy.core.internal.pool;

import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.Counters.Ending;

/**
 * A lease on an event loop. It ends in {@link #giveBack}, {@link #detach} or {@link #close}; the first of them counts.
 *
 * <p>Threading: owned by the connection's event loop.
 */
public final class LoopLease {

    private final EnginePool pool;
    private final Slot<IdleConnection> slot;
    private final LoopConnection connection;
    private final boolean reusable;
    private final boolean idleBefore;
    private boolean answered;
    private long answeredNanos;
    private boolean ended;

    /**
     * Begins a lease.
     *
     * @param reusable whether the pool may keep the connection; not if its far end was told of a client
     */
    LoopLease(EnginePool pool, Slot<IdleConnection> slot, LoopConnection connection, boolean reusable) {
        this.pool = pool;
        this.slot = slot;
        this.connection = connection;
        this.reusable = reusable;
        this.idleBefore = slot.parked() != null;
    }

    /** The place in the pool, which is given back, closed or detached through this lease or by a user's lease of it. */
    Slot<IdleConnection> slot() {
        return slot;
    }

    /** The connection, which has no interest and no handler at first. */
    public LoopConnection connection() {
        return connection;
    }

    /** Whether the connection was idle before, so that its peer may have closed it a moment ago. */
    public boolean wasIdle() {
        return idleBefore;
    }

    /** Whether a request that cannot be sent twice may go over the connection now: see {@link IdleUse#PROMISED}. */
    public boolean isReliable() {
        if (answered) { // and has been idle since, though it is leased
            long idleNanos = pool.ticker().nanos() - answeredNanos;
            return slot.promise.allowsMore()
                    && idleNanos < IdleTimes.ofUnrepeatable(slot.promise.idleNanos(), IdleTimes.UNKNOWN);
        }
        return !idleBefore || pool.policy.isReliable(slot);
    }

    /**
     * Records what the peer's response says about the connection, which is idle from now on unless another request follows.
     * Without this call nothing is known about it when it is given back.
     *
     * @param promisedNanos for how long the peer keeps the idle connection, or negative if it does not say that
     * @param max how many requests the peer says that the connection takes, or negative
     */
    public void answered(long promisedNanos, int max) {
        slot.promise.answered(promisedNanos, max);
        answeredNanos = connection.loop().nowNanos();
        answered = true;
    }

    /**
     * Gives the connection back for another use. It is closed instead if its peer has said that it takes no more requests, if
     * its far end was told of a client, or if it takes threads.
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
            connection.close(); // idle, it would take one to be watched
            pool.policy.drop(slot, Eviction.UNWATCHABLE);
        } else if (connection.isOpen()) {
            IdleConnection.onLoop(pool, slot, connection);
        } else {
            pool.policy.end(slot, Ending.DISCARDED);
        }
    }

    /** Leaves the connection to the caller. */
    public void detach() {
        if (end()) {
            pool.policy.end(slot, Ending.DETACHED);
        }
    }

    /** Closes the connection, which its peer has ended, or spoilt, without a response. */
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
