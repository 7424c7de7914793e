package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.WaitedFuture;
import io.broxy.core.internal.net.Completion;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Gets a lease on an event loop and completes a future with it. A lease that arrives after the future has completed is given
 * back.
 *
 * <p>Threading: the future is thread-safe; the rest is owned by the event loop.
 */
final class FutureLease implements Completion<LoopLease> {
    private final CompletableFuture<Lease> future = new WaitedFuture<>();
    private final EnginePool pool;
    private final EventLoop loop;
    private final ConnPool.Key key;
    private final long startNanos;
    private final @Nullable Throwable place;
    private @Nullable Leasing leasing;

    private FutureLease(EnginePool pool, EventLoop loop, ConnPool.Key key) {
        this.pool = pool;
        this.loop = loop;
        this.key = key;
        this.startNanos = pool.ticker().nanos();
        this.place = pool.leaks.place();
    }

    static CompletableFuture<Lease> start(EnginePool pool, EventLoop loop, ConnPool.Key key, long timeoutNanos) {
        FutureLease lease = new FutureLease(pool, loop, key);
        if (!loop.tryExecute(() -> lease.begin(timeoutNanos))) {
            lease.future.completeExceptionally(lease.failure(Reason.CANCELLED, EnginePool.closedFailure()));
            return lease.future;
        }
        lease.future.whenComplete((done, failure) -> loop.tryExecute(lease::ended));
        return lease.future;
    }

    private void begin(long timeoutNanos) {
        if (!future.isDone()) {
            leasing = Leasing.start(
                    pool, loop, new LeaseRequest(key, IdleUse.ANY, null, null, startNanos, timeoutNanos), this);
        }
    }

    private void ended() {
        if (leasing != null) {
            leasing.cancel(); // has no effect if the lease has completed the future
        }
    }

    @Override
    public void done(LoopLease onLoop) {
        Slot<IdleConnection> slot = onLoop.slot();
        onLoop.connection().release(ready -> leased(slot, ready), failure -> {
            pool.policy.drop(slot, Eviction.FAILED);
            failed(failure(Reason.LOCAL, failure));
        });
    }

    private void leased(Slot<IdleConnection> slot, Connection connection) {
        Lease lease = pool.userLease(slot, loop, connection, place);
        pool.workers().complete(() -> {
            if (!future.complete(lease)) {
                lease.giveBack();
            }
        });
    }

    @Override
    public void failed(DialException failure) {
        pool.workers().complete(() -> future.completeExceptionally(failure));
    }

    private DialException failure(Reason reason, Throwable cause) {
        return EnginePool.failure(reason, key, pool.ticker().nanos() - startNanos, cause);
    }
}
