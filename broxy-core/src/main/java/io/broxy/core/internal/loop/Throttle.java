package io.broxy.core.internal.loop;

import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.time.TokenBucket;
import org.jspecify.annotations.Nullable;

/**
 * How much of one direction may be read, by a rate of its own and by one that it shares with others. Who has to wait reserves
 * what is worth a read, and waits for the time when that has flowed: so those who share a rate have their turns in the order
 * in which they came, and each waits for one timer.
 *
 * <p>Threading: owned by its event loop.
 */
public final class Throttle {
    private final EventLoop loop;
    private final @Nullable TokenBucket own;
    private final @Nullable TokenBucket shared;

    private TimerQueue.@Nullable Timer turn;
    private @Nullable Runnable resume;
    private int reserved;
    private int granted;

    /**
     * Creates a throttle.
     *
     * @param own null for no rate of its own
     * @param shared null if there are no others
     */
    public Throttle(EventLoop loop, @Nullable TokenBucket own, @Nullable TokenBucket shared) {
        this.loop = loop;
        this.own = own;
        this.shared = shared;
    }

    /** Whether somebody waits for his turn. */
    public boolean isWaiting() {
        return resume != null;
    }

    /**
     * How many of so many bytes may be read now; what was read is to be {@linkplain #used told}.
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

    /** Of what was granted, so many bytes have been read. */
    public void used(int bytes) {
        giveBack(granted - bytes);
        granted = 0;
    }

    /** So many bytes have been read without being granted; others wait for that. */
    public void spend(int bytes) {
        reserve(bytes);
    }

    /** Nobody reads any more, for now. */
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
        int taken = own == null ? wanted : own.take(wanted, now);
        if (taken == 0 || shared == null) {
            return taken;
        }
        int both = shared.take(taken, now);
        if (own != null) {
            own.giveBack(taken - both);
        }
        return both;
    }

    private void await(Runnable whenMore) {
        resume = whenMore;
        reserved = Math.min(quantum(own), quantum(shared));
        long at = reserve(reserved);
        if (turn == null) {
            turn = loop.timers().schedule(at, this::come);
        } else {
            loop.timers().reschedule(turn, at);
        }
    }

    private static int quantum(@Nullable TokenBucket bucket) {
        return bucket == null ? Integer.MAX_VALUE : bucket.quantum();
    }

    private long reserve(int bytes) {
        long now = loop.nowNanos();
        long byOwn = own == null ? now : own.reserve(bytes, now);
        long byShared = shared == null ? now : shared.reserve(bytes, now);
        return byOwn - byShared > 0 ? byOwn : byShared;
    }

    private void giveBack(int bytes) {
        if (own != null) {
            own.giveBack(bytes);
        }
        if (shared != null) {
            shared.giveBack(bytes);
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
