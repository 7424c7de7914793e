package io.broxy.core.testkit;

import io.broxy.core.internal.time.Ticker;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that only the test moves. Threading: thread-safe. */
public final class ManualTicker implements Ticker {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000); // it wraps around on the way

    @Override
    public long nanos() {
        return now.get();
    }

    /** Moves it on. */
    public void advance(Duration by) {
        now.addAndGet(by.toNanos());
    }
}
