package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.core.internal.time.Durations;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The settings of a {@link ConnPool}. Threading: for one thread. */
public final class ConnPoolBuilder implements ConnPool.Builder {
    /** The idle connections that a handler's own pool keeps, both per origin and in total. */
    private static final int FORWARDING_MAX_IDLE = 1_000;

    private final PoolEngine engine;
    private final Consumer<ConnPool> built;
    private final Consumer<ConnPool> ended;
    private int maxIdlePerKey = 10;
    private int maxIdle = 100;
    private int maxOpenPerKey = Integer.MAX_VALUE;
    private int maxOpen = Integer.MAX_VALUE;
    private long idleTimeoutNanos = TimeUnit.SECONDS.toNanos(90);
    private long maxAgeNanos = TimeUnit.MINUTES.toNanos(10);
    private long leaseTimeoutNanos = TimeUnit.SECONDS.toNanos(10);
    private int leakReports;

    /**
     * Starts with the defaults.
     *
     * @param built receives each new pool
     * @param ended receives each pool that is closed
     */
    public ConnPoolBuilder(PoolEngine engine, Consumer<ConnPool> built, Consumer<ConnPool> ended) {
        this.engine = engine;
        this.built = built;
        this.ended = ended;
    }

    @Override
    public ConnPool.Builder maxIdlePerKey(int max) {
        maxIdlePerKey = atLeast(0, max, "the cap on idle connections of a key");
        return this;
    }

    @Override
    public ConnPool.Builder maxIdle(int max) {
        maxIdle = atLeast(0, max, "the cap on idle connections");
        return this;
    }

    @Override
    public ConnPool.Builder idleTimeout(Duration timeout) {
        idleTimeoutNanos = Durations.positiveNanos(timeout, "the idle timeout");
        return this;
    }

    @Override
    public ConnPool.Builder maxAge(Duration age) {
        maxAgeNanos = Durations.positiveNanos(age, "the maximum age");
        return this;
    }

    @Override
    public ConnPool.Builder maxOpenPerKey(int max) {
        maxOpenPerKey = atLeast(1, max, "the cap on open connections of a key");
        return this;
    }

    @Override
    public ConnPool.Builder maxOpen(int max) {
        maxOpen = atLeast(1, max, "the cap on open connections");
        return this;
    }

    @Override
    public ConnPool.Builder leaseTimeout(Duration timeout) {
        leaseTimeoutNanos = Durations.positiveNanos(timeout, "a lease's timeout");
        return this;
    }

    @Override
    public ConnPool.Builder reportLeaks(int oneIn) {
        leakReports = atLeast(0, oneIn, "the rate of reports");
        return this;
    }

    private static int atLeast(int min, int value, String what) {
        if (value < min) {
            throw new IllegalArgumentException(what + " must be at least " + min + ", not " + value);
        }
        return value;
    }

    @Override
    public EnginePool build() {
        PoolLimits limits =
                new PoolLimits(maxIdlePerKey, maxIdle, maxOpenPerKey, maxOpen, idleTimeoutNanos, maxAgeNanos);
        EnginePool pool = new EnginePool(engine, limits, leaseTimeoutNanos, new LeakWatch(leakReports), ended);
        built.accept(pool);
        return pool;
    }

    /**
     * Builds the pool of a proxy handler, which keeps more idle connections than others: after a burst of concurrent requests
     * to an origin, all of their connections become idle. With the default limits most requests of a busy proxy would close one
     * connection and open another.
     */
    public EnginePool buildForForwarding() {
        maxIdlePerKey = FORWARDING_MAX_IDLE;
        maxIdle = FORWARDING_MAX_IDLE;
        return build();
    }
}
