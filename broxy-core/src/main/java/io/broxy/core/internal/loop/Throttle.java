package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.time.TokenBucket;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Limits the read rate of one direction by one or more rates: its own and shared ones. Each byte is charged to all of them, so
 * the smallest rate decides. A throttle that must wait reserves enough bytes for a worthwhile read and waits until they are
 * available. Throttles that share a rate thus take turns in the order of their reads, and each needs only one timer.
 *
 * <p>Threading: owned by its event loop.
 */
public final class Throttle {
    private final EventLoop loop;
    private final TokenBucket[] rates;
    /** The minimum number of bytes for a worthwhile read. */
    private final int quantum;

    private TimerQueue.@Nullable Timer turn;
    private @Nullable Runnable resume;
    private int reserved;
    private int granted;

    /**
     * Creates a throttle.
     *
     * @param rates the limiting rates, at least one; nulls are ignored
     */
    public Throttle(EventLoop loop, @Nullable TokenBucket... rates) {
        this.loop = loop;
        List<TokenBucket> set = new ArrayList<>(rates.length);
        int smallest = Integer.MAX_VALUE;
        for (TokenBucket rate : rates) {
            if (rate != null) {
                set.add(rate);
                smallest = Math.min(smallest, rate.quantum());
            }
        }
        if (set.isEmpty()) {
            throw new IllegalArgumentException("no rate");
        }
        this.rates = set.toArray(new TokenBucket[0]);
        this.quantum = smallest;
    }

    /** Whether a read waits for its turn. */
    public boolean isWaiting() {
        return resume != null;
    }

    /**
     * Grants a number of bytes to read now; the caller then {@linkplain #used reports} how many it read.
     *
     * @param wanted at least 1
     * @param whenMore run once, in a later turn of the loop, if the result is 0
     */
    public int grant(int wanted, Runnable whenMore) {
        if (resume != null) {
            return 0;
        }
        int ready = reserved;
        reserved = 0;
        if (ready > wanted) {
            giveBack(ready - wanted);
            granted = wanted;
        } else {
            granted = ready == wanted ? ready : ready + take(wanted - ready);
        }
        if (granted == 0) {
            await(whenMore);
        }
        return granted;
    }

    /** Reports how many of the granted bytes were read. */
    public void used(int bytes) {
        giveBack(granted - bytes);
        granted = 0;
    }

    /** Charges bytes that were read without a grant, which delays later reads. */
    public void spend(int bytes) {
        reserve(bytes);
    }

    /** Refunds bytes that were read but will not be delivered. */
    public void refund(long bytes) {
        giveBack(bytes);
    }

    /** Stops waiting; a later grant may wait again. */
    public void stop() {
        if (resume != null && turn != null) {
            loop.timers().cancel(turn);
        }
        resume = null;
        giveBack(reserved + granted);
        reserved = 0;
        granted = 0;
    }

    private int take(int wanted) {
        long now = loop.nowNanos();
        int taken = wanted;
        for (int i = 0; i < rates.length && taken > 0; i++) {
            int there = rates[i].take(taken, now);
            for (int before = 0; before < i; before++) {
                rates[before].giveBack(taken - there);
            }
            taken = there;
        }
        return taken;
    }

    private void await(Runnable whenMore) {
        resume = whenMore;
        reserved = quantum;
        long at = reserve(quantum);
        if (turn == null) {
            turn = loop.timers().schedule(at, this::turnArrived);
        } else {
            loop.timers().reschedule(turn, at);
        }
    }

    /** Reserves bytes at all rates; returns when all of them have the bytes. */
    private long reserve(int bytes) {
        long now = loop.nowNanos();
        long latest = now;
        for (TokenBucket rate : rates) {
            long then = rate.reserve(bytes, now);
            latest = then - latest > 0 ? then : latest;
        }
        return latest;
    }

    private void giveBack(long bytes) {
        for (TokenBucket rate : rates) {
            rate.giveBack(bytes);
        }
    }

    private void turnArrived() {
        Runnable waiting = resume;
        resume = null;
        if (waiting != null && !loop.isStopping()) {
            waiting.run();
        }
    }
}
