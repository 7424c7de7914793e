package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import io.broxy.core.internal.time.Ticker;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Decides when spares are opened. The policy knows how many are missing; this class tracks the health of each peer.
 *
 * <pre>
 *            LOST: one at a time, with growing delays
 *   UP   ──────────────────────────────────────────> DOWN
 *      <────────────────────────────────────────────
 *            one is open
 * </pre>
 *
 * <p>A peer that accepts spares and drops them immediately would repeatedly look healthy. The failure count, and with it the
 * delay, is therefore reset only after a spare was used, or after none was lost for a while.
 *
 * <p>Threading: for one thread, in production that of an event loop.
 */
final class Warmer {
    /** Failures older than this do not count. */
    private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Spares for a healthy peer are opened within this time. */
    static final long SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** The delay after the first failure; it doubles with each. */
    static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** The environment of a warmer. Threading: as the warmer. */
    interface Environment {
        /** Runs a task later. */
        void after(long nanos, Runnable task);

        /** Allocates places for missing spares. */
        List<? extends Slot<?>> missing(ConnPool.Key key, int max);

        /** Opens spares; {@link Warmer#opened} or {@link Warmer#failed} must be called for each. */
        void open(List<? extends Slot<?>> slots);
    }

    private static final class Health {
        int failures;
        long lastFailureNanos;
        /** While the peer is down, when to try again. */
        long notBeforeNanos;

        boolean down;
        /** All failures of one round count as one. */
        boolean roundFailed;

        boolean asked;
        boolean planned;
        int opening;
    }

    private final Map<ConnPool.Key, Health> keys = new HashMap<>();
    private final Environment environment;
    private final Ticker ticker;
    private final RandomGenerator random;

    Warmer(Environment environment, Ticker ticker, RandomGenerator random) {
        this.environment = environment;
        this.ticker = ticker;
        this.random = random;
    }

    /** Receives an event from the policy. */
    void onEvent(ConnPool.Key key, SpareEvent event) {
        Health health = keys.computeIfAbsent(key, added -> new Health());
        switch (event) {
            case USED -> {
                health.failures = 0;
                health.down = false;
            }
            case LOST -> lost(health);
            case MISSING -> health.asked = true;
        }
        plan(key, health);
    }

    /** Records that a spare was opened. */
    void opened(ConnPool.Key key) {
        Health health = keys.computeIfAbsent(key, added -> new Health());
        health.opening--;
        health.down = false;
        plan(key, health);
    }

    /** Records that a spare could not be opened, which the policy reports, too. */
    void failed(ConnPool.Key key) {
        Health health = keys.computeIfAbsent(key, added -> new Health());
        health.opening--;
        plan(key, health);
    }

    private void lost(Health health) {
        if (health.roundFailed) {
            return;
        }
        long now = ticker.nanos();
        if (health.failures > 0 && now - health.lastFailureNanos > FORGET_NANOS) {
            health.failures = 0;
        }
        health.roundFailed = true;
        health.down = true;
        health.failures++;
        health.lastFailureNanos = now;
        health.notBeforeNanos = now + backoffNanos(health.failures, random);
    }

    /**
     * The delay after a number of failures, with random jitter of up to half so that keys which failed together drift apart.
     */
    static long backoffNanos(int failures, RandomGenerator random) {
        int doublings = Math.min(failures - 1, 16);
        long delay = Math.min(MAX_NANOS, FIRST_NANOS << doublings);
        return delay / 2 + random.nextLong(delay / 2 + 1);
    }

    private void plan(ConnPool.Key key, Health health) {
        if (health.planned || !health.asked || (health.down && health.opening > 0)) {
            return;
        }
        health.planned = true;
        long delay = health.down ? Math.max(0, health.notBeforeNanos - ticker.nanos()) : random.nextLong(SPREAD_NANOS);
        environment.after(delay, () -> refill(key, health));
    }

    private void refill(ConnPool.Key key, Health health) {
        health.planned = false;
        if (health.down && (health.opening > 0 || health.notBeforeNanos - ticker.nanos() > 0)) {
            plan(key, health); // the peer went down meanwhile
            return;
        }
        health.asked = false;
        health.roundFailed = false;
        List<? extends Slot<?>> slots = environment.missing(key, health.down ? 1 : Integer.MAX_VALUE);
        health.opening += slots.size();
        if (slots.isEmpty() && health.opening == 0 && !health.down) {
            keys.remove(key);
        }
        environment.open(slots);
    }
}
