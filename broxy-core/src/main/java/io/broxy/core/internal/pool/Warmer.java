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
 * Decides when spares are opened. How many are missing is the policy's knowledge; how the key is doing is known here.
 *
 * <pre>
 *            LOST: one at a time, later and later
 *   WELL ──────────────────────────────────────────> DOWN
 *      <────────────────────────────────────────────
 *            one stands
 * </pre>
 *
 * <p>A key that lets spares stand and drops them at once would be well again and again; so the count of failures, and the
 * delay by it, goes back to nothing only when a spare was used, or when nothing was lost for a while.
 *
 * <p>Threading: for one thread, an event loop's in the end.
 */
final class Warmer {
    /** Failures that far back say nothing any more. */
    private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** What it needs of the world. Threading: as the warmer. */
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
    private final Environment means;
    private final Ticker ticker;
    private final RandomGenerator random;

    Warmer(Environment means, Ticker ticker, RandomGenerator random) {
        this.means = means;
        this.ticker = ticker;
        this.random = random;
    }

    /** The policy tells what is new. */
    void hear(ConnPool.Key key, SpareEvent news) {
        Health health = keys.computeIfAbsent(key, added -> new Health());
        switch (news) {
            case USED -> {
                health.failures = 0;
                health.down = false;
            }
            case LOST -> lost(health);
            case MISSING -> health.asked = true;
        }
        plan(key, health);
    }

    /** A spare stands. */
    void opened(ConnPool.Key key) {
        Health health = keys.computeIfAbsent(key, added -> new Health());
        health.opening--;
        health.down = false;
        plan(key, health);
    }

    /** A spare could not be opened, as the policy has told or tells. */
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
        health.notBeforeNanos = now + Backoff.after(health.failures, random);
    }

    private void plan(ConnPool.Key key, Health health) {
        if (health.planned || !health.asked || (health.down && health.opening > 0)) {
            return;
        }
        health.planned = true;
        long delay = health.down ? Math.max(0, health.notBeforeNanos - ticker.nanos()) : Backoff.spread(random);
        means.after(delay, () -> refill(key, health));
    }

    private void refill(ConnPool.Key key, Health health) {
        health.planned = false;
        if (health.down && (health.opening > 0 || health.notBeforeNanos - ticker.nanos() > 0)) {
            plan(key, health); // it went down meanwhile
            return;
        }
        health.asked = false;
        health.roundFailed = false;
        List<? extends Slot<?>> slots = means.missing(key, health.down ? 1 : Integer.MAX_VALUE);
        health.opening += slots.size();
        if (slots.isEmpty() && health.opening == 0 && !health.down) {
            keys.remove(key);
        }
        means.open(slots);
    }
}
