package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import io.broxy.core.internal.time.TimerQueue;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the actions of a pool's policy and its periodic work: on one loop, it evicts expired connections, opens spares and looks
 * for leaked leases.
 *
 * <p>Threading: thread-safe.
 */
final class PoolKeeper implements PoolActions.ActionRunner<IdleConnection> {
    private static final Logger log = LoggerFactory.getLogger(PoolKeeper.class);

    /** The interval of the checks for leaked leases while any lease is out; each new lease checks, too. */
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
        this.spares = new Spares(spareTimeoutNanos);
    }

    @Override
    public void close(IdleConnection parked) {
        parked.execute(parked::close);
    }

    @Override
    public void spares(ConnPool.Key key, SpareEvent event) {
        loop.tryExecute(() -> spares.warmer.onEvent(key, event));
    }

    @Override
    public void expireAt(long nanos) {
        loop.tryExecute(() -> {
            if (loop.isStopping() || pool.policy.isClosed()) {
                return;
            }
            if (expiry == null) {
                expiry = loop.timers().schedule(nanos, pool.policy::expire);
            } else {
                loop.timers().reschedule(expiry, nanos);
            }
        });
    }

    /** Stops the periodic work of a closed pool. */
    void end() {
        loop.tryExecute(() -> {
            if (expiry != null) {
                loop.timers().cancel(expiry);
            }
        });
    }

    /** Checks for leaked leases periodically while leases are out. */
    void lookForLeaks() {
        if (lookingForLeaks.compareAndSet(false, true)) {
            loop.tryExecute(this::lookForLeaksLater);
        }
    }

    private void lookForLeaksLater() {
        if (loop.isStopping()) {
            return;
        }
        loop.timers().schedule(loop.nowNanos() + LEAK_POLL_NANOS, () -> {
            reapLeaks();
            lookingForLeaks.set(false);
            if (pool.leaks.isWatching()) {
                lookForLeaks();
            }
        });
    }

    /** Ends the leaked leases. */
    void reapLeaks() {
        for (LeakWatch.Watched lost; (lost = pool.leaks.next()) != null; ) {
            if (lost.connection != null) {
                lost.connection.abort();
            }
            pool.policy.end(lost.slot, Ending.LEAKED);
        }
    }

    /**
     * Opens spares on all loops in turn, when the {@link Warmer} decides so.
     *
     * <p>Threading: owned by the loop.
     */
    private final class Spares implements Warmer.Environment {
        private final long timeoutNanos;
        private final Warmer warmer = new Warmer(this, pool.ticker(), new SplittableRandom());

        Spares(long timeoutNanos) {
            this.timeoutNanos = timeoutNanos;
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
            return pool.policy.openSpares(key, max);
        }

        @Override
        @SuppressWarnings("unchecked") // the slots come from missing()
        public void open(List<? extends Slot<?>> slots) {
            for (Slot<?> slot : slots) {
                Opening opening = new Opening((Slot<IdleConnection>) slot);
                EventLoop home = pool.loopOfSpare();
                if (!home.tryExecute(() -> opening.begin(home))) {
                    opening.notOpened();
                }
            }
        }

        /** A spare that is being opened. Threading: owned by its event loop. */
        private final class Opening implements Completion<LoopConnection> {
            private final Slot<IdleConnection> slot;

            Opening(Slot<IdleConnection> slot) {
                this.slot = slot;
            }

            void begin(EventLoop home) {
                pool.open(home, slot.key(), null, null, timeoutNanos, this);
            }

            @Override
            public void done(LoopConnection connection) {
                if (!pool.policy.opened(slot)) {
                    connection.close();
                } else if (connection.takesThreads()) {
                    connection.close();
                    pool.policy.drop(slot, Eviction.UNWATCHABLE);
                    log.warn("{} gets no spares: its dialer opens connections that no pool can keep", slot.key());
                    pool.endWarming(slot.key());
                } else {
                    IdleConnection.onLoop(pool, slot, connection);
                }
                reportEnd(true);
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
                pool.policy.openFailed(slot);
                reportEnd(false);
            }

            private void reportEnd(boolean isOpen) {
                ConnPool.Key key = slot.key();
                loop.tryExecute(() -> {
                    if (isOpen) {
                        warmer.opened(key);
                    } else {
                        warmer.failed(key);
                    }
                });
            }
        }
    }
}
