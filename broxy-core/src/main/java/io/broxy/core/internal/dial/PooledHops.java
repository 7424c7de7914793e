package io.broxy.core.internal.dial;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.pool.LoopLease;
import java.util.Objects;

/**
 * Connections to a proxy out of a pool.
 *
 * <p>Threading: thread-safe.
 */
record PooledHops(EnginePool pool, ConnPool.Key hop) implements HopSource {

    @Override
    public DialHandle open(EventLoop loop, DialRequest request, boolean fresh, Taker taker) {
        long timeoutNanos = Objects.requireNonNull(request.timeout(), "the time for this step")
                .toNanos();
        LoopLease.Outcome outcome = new LoopLease.Outcome() {
            @Override
            public void leased(LoopLease lease) {
                taker.taken(new LeasedHop(lease));
            }

            @Override
            public void failed(DialException failure) {
                taker.failed(failure);
            }
        };
        IdleUse idleUse = fresh ? IdleUse.NEVER : IdleUse.ANY;
        return pool.lease(loop, hop, idleUse, request.client(), timeoutNanos, outcome);
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
        public void reuse(KeepAlive said) {
            lease.answered(said.timeoutNanos(), said.max());
            lease.giveBack();
        }

        @Override
        public void discardUnanswered() {
            lease.closeUnanswered();
        }

        @Override
        public void discard() {
            lease.close();
        }
    }
}
