package io.broxy.jmh;

import io.broxy.ConnPool;
import io.broxy.core.Broxy;
import java.util.concurrent.TimeUnit;

/**
 * Spare connections of a pool, opened outside the measured time, so that a benchmark measures the time that a caller waits
 * rather than the cost of a connection. In an application the loops open them in the background.
 *
 * <p>Threading: for one thread.
 */
final class Spares {
    /** Enough to make refills, which leave caches cold, rare. */
    private static final int COUNT = 256;

    private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final ConnPool pool;
    private long taken;

    Spares(Broxy broxy) {
        pool = broxy.connPool().maxIdlePerKey(COUNT).maxIdle(COUNT).build();
    }

    ConnPool pool() {
        return pool;
    }

    /**
     * Ensures that a spare is available: after the last one was taken, makes the pool open new ones, then stops warming. Thus
     * no operation finds the pool empty, and none runs while spares are being opened. Must be called before each operation,
     * which takes one spare.
     */
    void ready(ConnPool.Key hop) {
        taken++;
        if (pool.stats().idle() > 0) {
            return;
        }
        pool.warm(hop, COUNT);
        long end = System.nanoTime() + TIMEOUT_NANOS;
        while (pool.stats().idle() < COUNT) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("the pool was not filled in time: " + pool.stats());
            }
            Thread.onSpinWait();
        }
        pool.warm(hop, 0); // idle connections stay
    }

    /** Fails unless every operation has taken a spare. */
    void check() {
        long reused = pool.stats().reused();
        if (reused != taken) {
            throw new IllegalStateException("of " + taken + " operations with a warm pool " + reused + " took a spare");
        }
    }
}
