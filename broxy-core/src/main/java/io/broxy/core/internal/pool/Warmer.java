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
 * Decides when spares are opened. The policy knows how many are missing, and this class how their peer is doing.
 *
 * <pre>
 *            LOST: one at a time, later and later
 *   WELL ──────────────────────────────────────────> DOWN
 *      <────────────────────────────────────────────
 *            one is open
 * </pre>
 *
 * <p>A peer that accepts spares and drops them at once would seem well again and again. So the count of failures, and with it
 * the delay, is reset only when a spare was used, or when none was lost for a while.
 *
 * <p>Threading: for one thread, an event loop's in the end.
 */
final class Warmer {
    /** Older failures do not count. */
    private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Spares of a key whose peer is well are opened within this time. */
    static final long SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** The delay after the first failure; it doubles with each. */
    static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** What a warmer needs. Threading: as the warmer. */
    interface Environment {
        /** Runs a task later. */
        void after(long nanos, Runnable task);

        /** Gives places for missing spares. */
        List<? extends Slot<?>> missing(ConnPool.Key key, int max);

        /** Opens them; {@link Warmer#opened} or {@link Warmer#failed} is to be called for each. */
        void open(List<? extends Slot<?>> slots);
    }

    private static final class Health {
        int failures;
        long lastFailureNanos;
        /** When it may be tried again, while it is down. */
        long notBeforeNanos;

        boolean down;
        /** Failures of one round are one failure. */
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
    void hear(ConnPool.Key key, SpareEvent event) {
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

    /** A spare is open. */
    void opened(ConnPool.Key key) {
        Health health = keys.computeIfAbsent(key, added -> new Health());
        health.opening--;
        health.down = false;
        plan(key, health);
    }

    /** A spare could not be opened, which the policy reports too. */
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

    /** The delay after so many failures: at least half of it and at most all of it, so that keys that failed together part. */
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
            plan(key, health); // it went down meanwhile
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
