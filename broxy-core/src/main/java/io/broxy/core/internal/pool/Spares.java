package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import java.util.List;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens spares, spread over the loops, when the {@link Warmer} decides it.
 *
 * <p>Threading: owned by the loop that keeps the pool's timers, but for {@link #tell}.
 */
final class Spares implements Warmer.Environment {
    private static final Logger log = LoggerFactory.getLogger(Spares.class);

    private final EnginePool pool;
    private final EventLoop loop;
    private final long timeoutNanos;
    private final Warmer warmer;

    Spares(EnginePool pool, EventLoop loop, long timeoutNanos) {
        this.pool = pool;
        this.loop = loop;
        this.timeoutNanos = timeoutNanos;
        this.warmer = new Warmer(this, pool.ticker(), new SplittableRandom());
    }

    /** Passes on an event of the policy; for any thread. */
    void tell(ConnPool.Key key, SpareEvent event) {
        pool.execute(loop, () -> warmer.hear(key, event));
    }

    @Override
    public void after(long nanos, Runnable task) {
        assert loop.inLoop();
        if (!loop.isStopping()) {
            loop.timers().schedule(loop.nowNanos() + nanos, task);
        }
    }

    @Override
    public List<Slot<IdleConnection>> missing(ConnPool.Key key, int max) {
        return pool.policy().openSpares(key, max);
    }

    @Override
    @SuppressWarnings("unchecked") // they are those of missing()
    public void open(List<? extends Slot<?>> slots) {
        for (Slot<?> slot : slots) {
            Opening opening = new Opening((Slot<IdleConnection>) slot);
            EventLoop home = pool.nextLoop();
            if (!pool.execute(home, () -> opening.begin(home))) {
                opening.notOpened();
            }
        }
    }

    /** One spare on its way. Threading: owned by its event loop. */
    private final class Opening implements Completion<LoopConnection> {
        private final Slot<IdleConnection> slot;

        Opening(Slot<IdleConnection> slot) {
            this.slot = slot;
        }

        void begin(EventLoop home) {
            pool.opener().open(home, slot.key(), null, null, timeoutNanos, this);
        }

        @Override
        public void done(LoopConnection connection) {
            if (!pool.policy().opened(slot)) {
                connection.close();
            } else if (connection.takesThreads()) {
                connection.close();
                pool.drop(slot, Eviction.UNWATCHABLE);
                log.warn("{} gets no spares: its dialer opens connections that no pool can keep", slot.key());
                pool.endWarming(slot.key());
            } else {
                IdleConnection.onLoop(pool, slot, connection);
            }
            tellEnd(true);
        }

        @Override
        public void failed(DialException failure) {
            log.debug("a spare of {} could not be opened", slot.key(), failure);
            notOpened();
        }

        @Override
        public void broken(DialException failure) {
            log.warn("the dialer of {} failed", slot.key(), failure.getCause());
            notOpened();
        }

        void notOpened() {
            pool.openFailed(slot);
            tellEnd(false);
        }

        private void tellEnd(boolean isOpen) {
            ConnPool.Key key = slot.key();
            pool.execute(loop, () -> {
                if (isOpen) {
                    warmer.opened(key);
                } else {
                    warmer.failed(key);
                }
            });
        }
    }
}
