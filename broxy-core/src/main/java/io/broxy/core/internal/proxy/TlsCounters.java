package io.broxy.core.internal.proxy;

import io.broxy.TlsOutcome;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the TLS handshakes of clients, and caps the number of concurrent ones.
 *
 * <p>Threading: thread-safe.
 */
final class TlsCounters {
    private final int max;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<TlsOutcome, LongAdder> ended = Metrics.counters(TlsOutcome.class);

    TlsCounters(int max) {
        this.max = max;
    }

    /**
     * Counts a handshake, which {@linkplain #end ends} later. If too many are in progress, counts it as
     * {@link TlsOutcome#LIMIT} and returns false.
     */
    boolean tryBegin() {
        if (open.incrementAndGet() <= max) {
            return true;
        }
        end(TlsOutcome.LIMIT);
        return false;
    }

    /** Called when a handshake has ended. */
    void end(TlsOutcome outcome) {
        open.decrementAndGet();
        count(outcome);
    }

    /** Counts a client that has not started a handshake. */
    void count(TlsOutcome outcome) {
        Metrics.count(ended, outcome);
    }

    /**
     * A snapshot of the counters.
     *
     * @param open the number of handshakes in progress
     * @param ended the number of handshakes by outcome
     * <p>Threading: immutable.
     */
    record Snapshot(int open, Map<TlsOutcome, Long> ended) {}

    Snapshot snapshot() {
        return new Snapshot(open.get(), Metrics.sums(ended));
    }
}
