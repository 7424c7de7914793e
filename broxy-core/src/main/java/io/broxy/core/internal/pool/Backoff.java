package io.broxy.core.internal.pool;

import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** Delays before spares are opened, random, so that what failed together is not tried together. Threading: stateless. */
final class Backoff {
    /** Spares of a key whose peer is well are opened within this time. */
    static final long SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** The delay after the first failure; it doubles with each. */
    static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(30);

    private Backoff() {}

    /** The delay of a spare whose peer is well. */
    static long spread(RandomGenerator random) {
        return random.nextLong(SPREAD_NANOS);
    }

    /** After so many failures: at least half of the delay, and at most all of it. */
    static long after(int failures, RandomGenerator random) {
        int doublings = Math.min(failures - 1, 16);
        long delay = Math.min(MAX_NANOS, FIRST_NANOS << doublings);
        return delay / 2 + random.nextLong(delay / 2 + 1);
    }
}
