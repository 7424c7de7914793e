package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.time.TokenBucket;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Limits how much of one direction may be read, by one rate or several: its own, and shared ones. Each byte is charged to all
 * of them, so the smallest decides. A throttle that has to wait reserves what is worth a read, and waits until that has flowed:
 * so throttles that share a rate take turns in the order of their reads, and each waits for one timer.
 *
 * <p>Threading: owned by its event loop.
 */
public final class Throttle {
    private final EventLoop loop;
    private final TokenBucket[] rates;
    /** The fewest bytes that are worth a read. */
    private final int quantum;

    private TimerQueue.@Nullable Timer turn;
    private @Nullable Runnable resume;
    private int reserved;
    private int granted;

    /**
     * Creates a throttle.
     *
     * @param rates that limit it, at least one; nulls are passed over
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
     * How many of so many bytes may be read now; the caller then {@linkplain #used reports} what it read.
     *
     * @param wanted at least 1
     * @param whenMore run once, in a later turn of the loop, if it is 0 now
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

    /** So many of the granted bytes have been read. */
    public void used(int bytes) {
        giveBack(granted - bytes);
        granted = 0;
    }

    /** So many bytes have been read without being granted; others wait for that. */
    public void spend(int bytes) {
        reserve(bytes);
    }

    /** So many of the bytes that were read will not be delivered: they leave their share to others. */
    public void refund(long bytes) {
        giveBack(bytes);
    }

    /** Reading ends, for now. */
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
            turn = loop.timers().schedule(at, this::come);
        } else {
            loop.timers().reschedule(turn, at);
        }
    }

    /** When all rates have that much. */
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

    private void come() {
        Runnable waiting = resume;
        resume = null;
        if (waiting != null && !loop.isStopping()) {
            waiting.run();
        }
    }
}
