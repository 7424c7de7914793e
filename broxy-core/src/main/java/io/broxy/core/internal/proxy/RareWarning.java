package io.broxy.core.internal.proxy;

import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.TimeUnit;

/**
 * Warns of what a peer can cause as often as it likes: once a minute at most, with how often it has happened since.
 *
 * <p>Threading: thread-safe; the lock guards {@code nextNanos}, {@code begun} and {@code unsaid}.
 */
final class RareWarning {
    private static final long DISTANCE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Ticker ticker;
    private final Object lock = new Object();
    private boolean begun;
    private long nextNanos;
    private long unsaid;

    RareWarning(Ticker ticker) {
        this.ticker = ticker;
    }

    /** Warns, if it is time to. */
    void warn(String format, Object first, Object second) {
        long before;
        synchronized (lock) {
            long now = ticker.nanos();
            if (begun && nextNanos - now > 0) {
                unsaid++;
                return;
            }
            begun = true;
            nextNanos = now + DISTANCE_NANOS;
            before = unsaid;
            unsaid = 0;
        }
        ProxyHandling.log.warn(
                before == 0 ? format : format + "; " + before + " more since the last such warning", first, second);
    }
}
