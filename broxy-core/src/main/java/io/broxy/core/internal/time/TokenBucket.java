package io.broxy.core.internal.time;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A token bucket with a rate in bytes per second and a capacity of one second. Its only state is the time at which the bucket
 * was last empty; that time is in the future when bytes are reserved.
 *
 * <p>Threading: thread-safe.
 */
public final class TokenBucket {
    /** Faster than any relay; larger values would overflow the arithmetic. */
    private static final long MAX_RATE = 8_000_000_000L;

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /** The upper limit of the quantum, which is smaller at low rates to avoid long waits. */
    private static final int MAX_QUANTUM = 16 << 10;

    private static final int QUANTA_A_SECOND = 20;

    private final long rate;
    private final int quantum;
    private final AtomicLong emptyAtNanos;

    /**
     * Creates a bucket that holds one quantum. A full bucket would reward reconnecting.
     *
     * @param bytesPerSecond at least 1
     */
    public TokenBucket(long bytesPerSecond, long nowNanos) {
        rate = Math.min(bytesPerSecond, MAX_RATE);
        quantum = (int) Math.min(Math.max(rate / QUANTA_A_SECOND, 1), MAX_QUANTUM);
        emptyAtNanos = new AtomicLong(nowNanos - nanosUp(quantum));
    }

    /** The minimum number of bytes for a worthwhile read. */
    public int quantum() {
        return quantum;
    }

    /** Takes up to the given number of bytes; 0 if fewer than both that number and the quantum are available. */
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

    /** Reserves bytes ahead of time, and returns when they will be available. */
    public long reserve(int bytes, long nowNanos) {
        while (true) {
            long seen = emptyAtNanos.get();
            long then = from(seen, nowNanos) + nanosUp(bytes);
            if (emptyAtNanos.compareAndSet(seen, then)) {
                return then;
            }
        }
    }

    /** Whether the bucket holds at least as much as a new one. */
    public boolean isFull(long nowNanos) {
        return nowNanos - emptyAtNanos.get() >= nanosUp(quantum);
    }

    /** Returns bytes that were taken or reserved. */
    public void giveBack(long bytes) {
        emptyAtNanos.addAndGet(-(bytes * SECOND / rate));
    }

    /** Limits the bucket to one second's bytes. */
    private static long from(long emptyAtNanos, long nowNanos) {
        return nowNanos - emptyAtNanos > SECOND ? nowNanos - SECOND : emptyAtNanos;
    }

    private long nanosUp(int bytes) {
        return (bytes * SECOND + rate - 1) / rate;
    }
}
