package io.broxy.core.internal.time;

/**
 * Limits how often an event is logged that may happen a thousand times a second.
 *
 * <p>Threading: thread-safe; the lock guards {@code before} and {@code lastNanos}.
 */
public final class Cooldown {
    private final long intervalNanos;

    private final Object lock = new Object();
    private boolean before;
    private long lastNanos;

    /**
     * Creates a limiter that permits the first event immediately.
     *
     * @param intervalNanos the minimum interval between permitted events
     */
    public Cooldown(long intervalNanos) {
        this.intervalNanos = intervalNanos;
    }

    /** Whether an event may be logged; true for the first call. */
    public boolean isTime(long nowNanos) {
        synchronized (lock) {
            if (before && nowNanos - lastNanos < intervalNanos) {
                return false;
            }
            before = true;
            lastNanos = nowNanos;
            return true;
        }
    }
}
