package io.broxy.core.internal.journal;

import java.util.concurrent.TimeUnit;

/**
 * Keeps what happens a thousand times a second from being logged as often.
 *
 * <p>Threading: thread-safe; the lock guards all fields.
 */
final class Seldom {
    private static final long DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Object lock = new Object();
    private boolean before;
    private long lastNanos;

    /** Whether the last time that it was is some seconds ago. */
    boolean isTime(long nowNanos) {
        synchronized (lock) {
            if (before && nowNanos - lastNanos < DISTANCE_NANOS) {
                return false;
            }
            before = true;
            lastNanos = nowNanos;
            return true;
        }
    }
}
