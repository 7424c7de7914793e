package io.broxy.core.internal.proxy;

import io.broxy.TlsOutcome;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the TLS handshakes of clients, and caps those under way.
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

    /** Counts a handshake, which {@linkplain #end ends} later. False, and counted, if too many are under way. */
    boolean tryBegin() {
        if (open.incrementAndGet() <= max) {
            return true;
        }
        end(TlsOutcome.LIMIT);
        return false;
    }

    /** A handshake has ended. */
    void end(TlsOutcome outcome) {
        open.decrementAndGet();
        count(outcome);
    }

    /** Counts a client that has not begun a handshake. */
    void count(TlsOutcome outcome) {
        Metrics.count(ended, outcome);
    }

    /**
     * The counters at a moment.
     *
     * @param open the handshakes under way
     * @param ended how many had each outcome
     * <p>Threading: immutable.
     */
    record Snapshot(int open, Map<TlsOutcome, Long> ended) {}

    Snapshot snapshot() {
        return new Snapshot(open.get(), Metrics.sums(ended));
    }
}
