package io.broxy.core.internal.pool;

import io.broxy.DialException;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.IdlePool.Ending;

/**
 * A lease on an event loop. It ends in {@link #reuse}, {@link #detach} or {@link #close}; the first of them counts.
 *
 * <p>Threading: owned by the connection's event loop.
 */
public final class LoopLease {

    /** Told how asking for a lease ended, once, on the loop. Threading: owned by its event loop. */
    public interface Outcome {
        /** The lease belongs to whoever is told; its connection wants nothing and has no handler yet. */
        void leased(LoopLease lease);

        /** There is none. */
        void failed(DialException failure);
    }

    private final EnginePool pool;
    private final Slot<Parked> slot;
    private final LoopConnection connection;
    private final boolean idleBefore;
    private boolean ended;

    LoopLease(EnginePool pool, Slot<Parked> slot, LoopConnection connection) {
        this.pool = pool;
        this.slot = slot;
        this.connection = connection;
        this.idleBefore = slot.parked() != null;
    }

    /** The connection. */
    public LoopConnection connection() {
        return connection;
    }

    /** Whether the connection lay idle before, so that its peer may have closed it a moment ago. */
    public boolean wasIdle() {
        return idleBefore;
    }

    /** Gives the connection back for another use, unless it is closed; one that takes threads is. */
    public void reuse() {
        if (!end()) {
            return;
        }
        if (connection.takesThreads()) {
            connection.close(); // idle, it would take one to be watched
            pool.drop(slot, Eviction.UNWATCHABLE);
        } else if (connection.isOpen()) {
            Parked.onLoop(pool, slot, connection);
        } else {
            pool.end(slot, Ending.DISCARDED);
        }
    }

    /** Leaves the connection to the caller. */
    public void detach() {
        if (end()) {
            pool.end(slot, Ending.DETACHED);
        }
    }

    /** Closes the connection. */
    public void close() {
        if (end()) {
            connection.close();
            pool.end(slot, Ending.DISCARDED);
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
