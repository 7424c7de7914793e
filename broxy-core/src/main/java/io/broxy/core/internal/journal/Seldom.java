package io.broxy.core.internal.journal;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what happens a thousand times a second from being logged as often.
 *
 * <p>Threading: thread-safe.
 */
final class Seldom {
    private static final long DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final AtomicReference<@Nullable Long> lastNanos = new AtomicReference<>();

    /** Whether the last time that it was is some seconds ago. */
    boolean isTime(long nowNanos) {
        Long last = lastNanos.get();
        return (last == null || nowNanos - last >= DISTANCE_NANOS) && lastNanos.compareAndSet(last, nowNanos);
    }
}
