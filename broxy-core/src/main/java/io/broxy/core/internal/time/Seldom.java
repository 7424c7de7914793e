package io.broxy.core.internal.time;

/**
 * Limits how often something is logged that may happen a thousand times a second.
 *
 * <p>Threading: thread-safe; the lock guards {@code before} and {@code lastNanos}.
 */
public final class Seldom {
    private final long distanceNanos;

    private final Object lock = new Object();
    private boolean before;
    private long lastNanos;

    /**
     * Creates a limiter whose first time is now.
     *
     * @param distanceNanos from one time to the next
     */
    public Seldom(long distanceNanos) {
        this.distanceNanos = distanceNanos;
    }

    /** Whether it is time again; the first call is. */
    public boolean isTime(long nowNanos) {
        synchronized (lock) {
            if (before && nowNanos - lastNanos < distanceNanos) {
                return false;
            }
            before = true;
            lastNanos = nowNanos;
            return true;
        }
    }
}
