package io.broxy.core.internal.time;

/**
 * Keeps what happens a thousand times a second from being logged as often.
 *
 * <p>Threading: thread-safe; the lock guards {@code before} and {@code lastNanos}.
 */
public final class Seldom {
    private final long distanceNanos;

    private final Object lock = new Object();
    private boolean before;
    private long lastNanos;

    /**
     * Begins at once.
     *
     * @param distanceNanos from one time to the next
     */
    public Seldom(long distanceNanos) {
        this.distanceNanos = distanceNanos;
    }

    /** Whether the last time that it was is that long ago. */
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
