package io.broxy.core.internal.proxy;

import io.broxy.core.internal.time.Cooldown;
import io.broxy.core.internal.time.Ticker;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Logs a warning that peers can cause at any rate: once a minute at most, with the number of those left out since.
 *
 * <p>Threading: thread-safe.
 */
final class RareWarning {
    private final Ticker ticker;
    private final Cooldown times = new Cooldown(TimeUnit.MINUTES.toNanos(1));
    private final AtomicLong unsaid = new AtomicLong();

    RareWarning(Ticker ticker) {
        this.ticker = ticker;
    }

    /** Logs the warning, or counts it as left out. */
    void warn(String format, Object first, Object second) {
        if (!times.isTime(ticker.nanos())) {
            unsaid.incrementAndGet();
            return;
        }
        long before = unsaid.getAndSet(0);
        DefaultProxyHandler.log.warn(
                before == 0 ? format : format + "; " + before + " more since the last such warning", first, second);
    }
}
