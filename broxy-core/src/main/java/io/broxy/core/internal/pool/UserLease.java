package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.pool.Counters.Ending;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A user's lease. Threading: thread-safe. */
final class UserLease implements Lease {
    private static final Logger log = LoggerFactory.getLogger(UserLease.class);

    private final EnginePool pool;
    private final Slot<IdleConnection> slot;
    private final EventLoop home;
    private final boolean idleBefore;
    private final Connection inner;
    private final Connection connection;
    private final LeakWatch.Watched mark;
    private final AtomicBoolean ended = new AtomicBoolean();

    /**
     * Starts a lease.
     *
     * @param home the loop that watches the connection once it is idle again
     * @param place the stack trace of the lease, or null if this one is not recorded
     */
    @SuppressWarnings("this-escape") // the connection and the mark only store the reference
    UserLease(
            EnginePool pool,
            Slot<IdleConnection> slot,
            EventLoop home,
            Connection connection,
            @Nullable Throwable place) {
        this.pool = pool;
        this.slot = slot;
        this.home = home;
        this.idleBefore = slot.parked() != null;
        this.inner = connection;
        this.connection = inner instanceof Transferable transferable ? new LeasedConnection(transferable, this) : inner;
        this.mark = pool.leaks.watch(this, slot, connection, place);
    }

    @Override
    public Connection connection() {
        return connection;
    }

    @Override
    public boolean wasIdle() {
        return idleBefore;
    }

    @Override
    public void giveBack() {
        if (!end()) {
            return;
        }
        if (!(inner instanceof Transferable transferable) || !transferable.hasReadiness()) {
            closeInner();
            pool.policy.drop(slot, Eviction.UNWATCHABLE);
            return;
        }
        try {
            transferable.detach();
        } catch (ClosedChannelException e) {
            pool.policy.end(slot, Ending.DISCARDED);
            return;
        } catch (IllegalStateException e) {
            pool.policy.end(slot, Ending.DETACHED);
            throw e;
        }
        try {
            transferable.unblock();
            if (!transferable.renew()) {
                transferable.detached().close();
                pool.policy.end(slot, Ending.DISCARDED);
                return;
            }
        } catch (IOException e) {
            log.debug("a connection cannot be reused", e);
            transferable.detached().abort();
            pool.policy.end(slot, Ending.DISCARDED);
            return;
        }
        slot.promise.forget();
        IdleConnection.fromUser(pool, home, slot, transferable, true);
    }

    @Override
    public void detach() {
        if (end()) {
            pool.policy.end(slot, Ending.DETACHED);
        }
    }

    @Override
    public void close() {
        if (end()) {
            closeInner(); // before another lease gets its place
            pool.policy.end(slot, Ending.DISCARDED);
        }
    }

    private boolean end() {
        if (!ended.compareAndSet(false, true)) {
            return false;
        }
        pool.leaks.ended(mark);
        return true;
    }

    private void closeInner() {
        try {
            inner.close();
        } catch (IOException e) {
            log.debug("closing a connection failed", e);
        }
    }

    /** Shows the key and the connection. */
    @Override
    public String toString() {
        return "Lease[" + slot.key() + ", " + connection + (ended.get() ? ", ended" : "") + "]";
    }
}
