package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.WaitedFuture;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import io.broxy.core.internal.observe.LeaseTrace;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets a lease for a blocking caller, whose thread dials if no connection is idle.
 *
 * <p>Threading: owned by the caller's thread, except for the callbacks of {@link Waiter}.
 */
final class BlockingLeasing implements Waiter<IdleConnection> {
    private static final Logger log = LoggerFactory.getLogger(BlockingLeasing.class);

    private final EnginePool pool;
    private final ConnPool.Key key;
    private final long startNanos;
    private final long endNanos;
    private final CompletableFuture<@Nullable Slot<IdleConnection>> grant = new WaitedFuture<>();

    BlockingLeasing(EnginePool pool, ConnPool.Key key, long timeoutNanos) {
        this.pool = pool;
        this.key = key;
        this.startNanos = pool.ticker().nanos();
        this.endNanos = startNanos + timeoutNanos;
    }

    @Override
    public void granted(Slot<IdleConnection> slot) {
        grant.complete(slot);
    }

    @Override
    public void refused() {
        grant.complete(null);
    }

    Lease lease(@Nullable Throwable place) throws DialException {
        LeaseTrace trace = FlightRecorderEvents.lease(key.address());
        try {
            Lease lease = get(place);
            trace.leased(lease.wasIdle());
            return lease;
        } catch (DialException e) {
            trace.failed(e);
            throw e;
        }
    }

    private Lease get(@Nullable Throwable place) throws DialException {
        Slot<IdleConnection> slot = pool.claim(key, null, this);
        if (slot == null) {
            slot = await();
        }
        for (IdleConnection parked; (parked = slot.parked()) != null; ) {
            Taken taken = take(slot, parked);
            if (taken.connection != null) {
                return pool.userLease(slot, parked.loop, taken.connection, place);
            }
            slot = pool.policy.replace(slot, taken.death, null, IdleUse.ANY);
            if (slot == null) {
                throw closed();
            }
        }
        return pool.userLease(slot, pool.nextLoop(), dial(slot), place);
    }

    // ------------------------------------------------------------------ waiting

    private Slot<IdleConnection> await() throws DialException {
        Slot<IdleConnection> slot;
        try {
            slot = grant.get(Math.max(0, endNanos - pool.ticker().nanos()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            if (pool.policy.cancel(key, this)) {
                throw failure(Reason.POOL_EXHAUSTED, pool.exhausted());
            }
            slot = grant.join(); // a grant won the race with the cancellation
        } catch (InterruptedException e) {
            if (!pool.policy.cancel(key, this)) {
                grant.thenAccept(late -> {
                    if (late != null) {
                        pool.giveBack(late);
                    }
                });
            }
            throw interrupted();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a grant cannot fail", e);
        }
        if (slot == null) {
            throw closed();
        }
        return slot;
    }

    // ------------------------------------------------------------------ an idle connection

    /** The connection, or why it is dead. */
    private record Taken(@Nullable Connection connection, Eviction death) {}

    private Taken take(Slot<IdleConnection> slot, IdleConnection parked) throws DialException {
        CompletableFuture<Taken> future = new CompletableFuture<>();
        boolean asked = parked.execute(() -> parked.handOver(
                connection -> future.complete(new Taken(connection, Eviction.FAILED)),
                cause -> future.complete(new Taken(null, cause))));
        if (!asked) {
            return new Taken(null, Eviction.CLOSED);
        }
        try {
            return future.get(); // loops answer at once
        } catch (InterruptedException e) {
            future.thenAccept(late -> putBack(slot, parked.loop, late));
            throw interrupted();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a hand-over cannot fail", e);
        }
    }

    private void putBack(Slot<IdleConnection> slot, EventLoop loop, Taken late) {
        if (late.connection instanceof Transferable transferable) { // as all idle connections are
            try {
                transferable.detach();
                transferable.unblock(); // no read has begun
                IdleConnection.fromUser(pool, loop, slot, transferable, false);
                return;
            } catch (IOException e) {
                log.debug("closing a connection whose lease was abandoned", e);
                pool.closeLater(transferable.detached());
            }
        }
        pool.policy.drop(slot, late.death);
    }

    // ------------------------------------------------------------------ a new connection

    private Connection dial(Slot<IdleConnection> slot) throws DialException {
        Connection connection = null;
        try {
            long left = endNanos - pool.ticker().nanos();
            if (left <= 0) {
                throw failure(Reason.POOL_EXHAUSTED, pool.exhausted());
            }
            connection = key.dialer().dial(EnginePool.dialRequest(key, null, left));
            if (connection == null) {
                throw new NullPointerException("the dialer gave no connection");
            }
        } finally {
            if (connection == null) {
                pool.policy.openFailed(slot);
            }
        }
        if (pool.policy.opened(slot)) {
            return connection;
        }
        try {
            connection.close();
        } catch (IOException e) {
            log.debug("closing a connection that arrived too late failed", e);
        }
        throw closed();
    }

    // ------------------------------------------------------------------ failures

    private DialException interrupted() {
        Thread.currentThread().interrupt();
        return failure(Reason.CANCELLED, new InterruptedException("the leasing thread was interrupted"));
    }

    private DialException closed() {
        return failure(Reason.CANCELLED, EnginePool.closedFailure());
    }

    private DialException failure(Reason reason, Throwable cause) {
        return EnginePool.failure(reason, key, pool.ticker().nanos() - startNanos, cause);
    }
}
