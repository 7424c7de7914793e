package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.LoopLease;
import java.time.Duration;

/**
 * Connections to a proxy out of a pool. A fresh one is opened past it, for the pool might give another one that is dead.
 *
 * <p>Threading: thread-safe.
 */
record PooledHops(EnginePool pool, ConnPool.Hop hop, HopSource fresh) implements HopSource {

    @Override
    public LoopDialer.Dialing open(EventLoop loop, DialRequest request, boolean fresh, Taker taker) {
        Duration timeout = request.timeout();
        if (fresh || timeout == null) {
            return this.fresh.open(loop, request, true, taker);
        }
        return pool.lease(loop, hop, timeout.toNanos(), new LoopLease.Outcome() {
            @Override
            public void leased(LoopLease lease) {
                taker.taken(new LeasedHop(lease));
            }

            @Override
            public void failed(DialException failure) {
                taker.failed(failure);
            }
        });
    }

    /** Threading: owned by its event loop. */
    private record LeasedHop(LoopLease lease) implements Hop {
        @Override
        public LoopConnection connection() {
            return lease.connection();
        }

        @Override
        public boolean wasIdle() {
            return lease.wasIdle();
        }

        @Override
        public void detach() {
            lease.detach();
        }

        @Override
        public void reuse() {
            lease.reuse();
        }

        @Override
        public void discard() {
            lease.close();
        }
    }
}
