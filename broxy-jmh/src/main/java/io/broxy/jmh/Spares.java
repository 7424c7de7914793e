package io.broxy.jmh;

import io.broxy.ConnPool;
import io.broxy.core.Broxy;
import java.util.concurrent.TimeUnit;

/**
 * Connections of a pool that stand ready, made off the clock, so that what is measured is what a caller waits for and not what
 * a connection costs. In an application the loops make them meanwhile.
 *
 * <p>Threading: for one thread.
 */
final class Spares {
    /** So many that the wait for new ones, with its cold caches, comes seldom. */
    private static final int COUNT = 256;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final ConnPool pool;
    private long taken;

    Spares(Broxy broxy) {
        pool = broxy.connPool().maxIdlePerKey(COUNT).maxIdle(COUNT).build();
    }

    ConnPool pool() {
        return pool;
    }

    /**
     * Sees to it that one stands ready: when the last has been taken, has the pool make new ones, and then no more of them. So
     * nobody finds the pool empty, and nothing runs beside the making of spares. To be called before each operation, which takes
     * one.
     */
    void ready(ConnPool.Key hop) {
        taken++;
        if (pool.stats().idle() > 0) {
            return;
        }
        pool.warm(hop, COUNT);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (pool.stats().idle() < COUNT) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("the pool is not filled: " + pool.stats());
            }
            Thread.onSpinWait();
        }
        pool.warm(hop, 0); // what is idle stays so
    }

    /** Fails if not every operation has taken one. */
    void check() {
        long reused = pool.stats().reused();
        if (reused != taken) {
            throw new IllegalStateException("of " + taken + " operations with a warm pool " + reused + " took a spare");
        }
    }
}
