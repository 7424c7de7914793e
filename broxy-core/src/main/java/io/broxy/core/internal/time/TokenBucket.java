package io.broxy.core.internal.time;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A rate in bytes a second. What was not taken within the last second may be caught up on. There are no tokens to be counted:
 * the one figure is the time since which the untaken bytes flow, which lies ahead when bytes are reserved.
 *
 * <p>Threading: thread-safe.
 */
public final class TokenBucket {
    /** More than a relay moves; more would not fit into the arithmetic. */
    private static final long MAX_RATE = 8_000_000_000L;

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /** Less is not worth a read, unless the rate is so low that it would be long to wait for. */
    private static final int MAX_QUANTUM = 16 << 10;

    private static final int QUANTA_A_SECOND = 20;

    private final long rate;
    private final int quantum;
    private final AtomicLong emptyAtNanos;

    /**
     * Creates a bucket that holds what is worth a read. A full one would reward reconnecting.
     *
     * @param bytesPerSecond at least 1
     */
    public TokenBucket(long bytesPerSecond, long nowNanos) {
        rate = Math.min(bytesPerSecond, MAX_RATE);
        quantum = (int) Math.min(Math.max(rate / QUANTA_A_SECOND, 1), MAX_QUANTUM);
        emptyAtNanos = new AtomicLong(nowNanos - nanosUp(quantum));
    }

    /** The fewest bytes that are worth a read. */
    public int quantum() {
        return quantum;
    }

    /** Takes what is there of so many bytes; 0 if that is less than what is wanted and than what is worth a read. */
    public int take(int wanted, long nowNanos) {
        while (true) {
            long seen = emptyAtNanos.get();
            long from = from(seen, nowNanos);
            long there = from - nowNanos >= 0 ? 0 : (nowNanos - from) * rate / SECOND;
            if (there < Math.min(wanted, quantum)) {
                return 0;
            }
            int taken = (int) Math.min(wanted, there);
            if (emptyAtNanos.compareAndSet(seen, from + nanosUp(taken))) {
                return taken;
            }
        }
    }

    /** Takes bytes that have yet to flow, and gives the time when they have. */
    public long reserve(int bytes, long nowNanos) {
        while (true) {
            long seen = emptyAtNanos.get();
            long then = from(seen, nowNanos) + nanosUp(bytes);
            if (emptyAtNanos.compareAndSet(seen, then)) {
                return then;
            }
        }
    }

    /** Whether there is as much as in a new one. */
    public boolean isFull(long nowNanos) {
        return nowNanos - emptyAtNanos.get() >= nanosUp(quantum);
    }

    /** Gives back what was taken or reserved. */
    public void giveBack(long bytes) {
        emptyAtNanos.addAndGet(-(bytes * SECOND / rate));
    }

    /** No more than a second's bytes are kept. */
    private static long from(long emptyAtNanos, long nowNanos) {
        return nowNanos - emptyAtNanos > SECOND ? nowNanos - SECOND : emptyAtNanos;
    }

    private long nanosUp(int bytes) {
        return (bytes * SECOND + rate - 1) / rate;
    }
}
