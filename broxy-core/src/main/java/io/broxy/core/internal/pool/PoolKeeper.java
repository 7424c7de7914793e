package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import io.broxy.core.internal.time.TimerQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Does what changes of a pool's policy leave to be done, and what needs time: on one loop, it evicts idle connections that
 * expire, opens spares and looks for lost leases.
 *
 * <p>Threading: thread-safe.
 */
final class PoolKeeper implements PoolActions.ActionRunner<IdleConnection> {
    /** How often lost leases are looked for while leases are out; each lease looks too. */
    private static final long LEAK_POLL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EnginePool pool;
    private final EventLoop loop;
    private final Spares spares;
    private final AtomicBoolean lookingForLeaks = new AtomicBoolean();

    /** Owned by the loop. */
    private TimerQueue.@Nullable Timer expiry;

    PoolKeeper(EnginePool pool, EventLoop loop, long spareTimeoutNanos) {
        this.pool = pool;
        this.loop = loop;
        this.spares = new Spares(pool, loop, spareTimeoutNanos);
    }

    @Override
    public void close(IdleConnection parked) {
        parked.execute(parked::close);
    }

    @Override
    public void spares(ConnPool.Key key, SpareEvent event) {
        spares.tell(key, event);
    }

    @Override
    public void expireAt(long nanos) {
        pool.execute(loop, () -> {
            if (loop.isStopping() || pool.policy().isClosed()) {
                return;
            }
            if (expiry == null) {
                expiry = loop.timers().schedule(nanos, pool::expire);
            } else {
                loop.timers().reschedule(expiry, nanos);
            }
        });
    }

    /** The pool is closed. */
    void end() {
        pool.execute(loop, () -> {
            if (expiry != null) {
                loop.timers().cancel(expiry);
            }
        });
    }

    /** Looks for lost leases from now on, for as long as leases are out. */
    void lookForLeaks() {
        if (lookingForLeaks.compareAndSet(false, true)) {
            pool.execute(loop, this::lookForLeaksLater);
        }
    }

    private void lookForLeaksLater() {
        if (loop.isStopping()) {
            return;
        }
        loop.timers().schedule(loop.nowNanos() + LEAK_POLL_NANOS, () -> {
            reapLeaks();
            lookingForLeaks.set(false);
            if (pool.leaks().isWatching()) {
                lookForLeaks();
            }
        });
    }

    /** Ends the leases that were lost. */
    void reapLeaks() {
        for (LeakWatch.Watched lost; (lost = pool.leaks().next()) != null; ) {
            if (lost.connection != null) {
                lost.connection.abort();
            }
            pool.end(lost.slot, Ending.LEAKED);
        }
    }
}
