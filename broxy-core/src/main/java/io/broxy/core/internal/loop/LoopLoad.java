package io.broxy.core.internal.loop;

import io.broxy.EngineStats;
import io.broxy.core.internal.time.Ticker;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * How long a loop has worked, in contrast to waiting for something to do. Two writes a turn are all that it costs, since the
 * loop reads the clock anyway; what is under way counts as well, so that a loop that hangs is seen to be busy.
 *
 * <p>Threading: written by the loop's own thread; snapshots are for any thread, and the lock is theirs.
 */
final class LoopLoad {
    private static final VarHandle STATE = state();

    private final long startNanos;

    /**
     * A number of nanoseconds, and in the lowest bit whether the loop works: the time for which it has worked if it waits, and
     * otherwise, since the start, the time at which it would have begun if it had always worked. So each change is a single write.
     */
    @SuppressWarnings("unused") // used by STATE
    private long state = 1;

    private final Object lock = new Object();
    /** What the latest snapshot has counted; guarded by the lock. */
    private long shownNanos;

    /** Begins to work. */
    LoopLoad(long nowNanos) {
        startNanos = nowNanos;
    }

    private static VarHandle state() {
        try {
            return MethodHandles.lookup().findVarHandle(LoopLoad.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The loop begins to wait. */
    void waits(long nowNanos) {
        STATE.setRelease(this, busyNanos(nowNanos) << 1);
    }

    /** The loop has waited, and begins to work. */
    void works(long nowNanos) {
        STATE.setRelease(this, (nowNanos - startNanos - busyNanos(nowNanos)) << 1 | 1);
    }

    private long busyNanos(long nowNanos) {
        return busyNanos((long) STATE.getOpaque(this), nowNanos);
    }

    private long busyNanos(long current, long nowNanos) {
        return (current & 1) == 0 ? current >> 1 : nowNanos - startNanos - (current >> 1);
    }

    /**
     * A snapshot, taken while the loop did not change between work and waiting. The loop may have read the clock before, and tell
     * only afterwards that it has worked until then: the snapshot has counted a little more by that time, and no later one has less.
     */
    EngineStats.Loop stats(String name, int clients, int channels, Ticker ticker) {
        synchronized (lock) {
            long current;
            long now;
            do {
                current = (long) STATE.getAcquire(this);
                now = ticker.nanos();
            } while (current != (long) STATE.getAcquire(this));
            shownNanos = Math.max(shownNanos, busyNanos(current, now));
            return new EngineStats.Loop(
                    name, clients, channels, Duration.ofNanos(shownNanos), Duration.ofNanos(now - startNanos));
        }
    }
}
