package io.broxy.core.internal.observe;

import io.broxy.DurationHistogram;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Records durations without locks, and without an allocation but for the first ones. Threads record into up to eight stripes, so that
 * event loops neither contend nor share cache lines; a stripe has 2.8 KiB, and exists once a thread has used it.
 *
 * <p>Threading: thread-safe.
 */
public final class DurationRecorder {
    private static final int MAX_STRIPES = 8;
    /** Behind the buckets of a stripe: the sum in microseconds, and the maximum in nanoseconds. */
    private static final int SUM = DurationBuckets.COUNT;

    private static final int MAX = SUM + 1;
    private static final long HALF_MICRO = 500;

    private final AtomicReferenceArray<@Nullable AtomicLongArray> stripes = new AtomicReferenceArray<>(
            Integer.highestOneBit(Math.min(MAX_STRIPES, Runtime.getRuntime().availableProcessors())));

    /** Records a duration; a negative one, of a clock that was set back, counts as zero. */
    public void record(long nanos) {
        long duration = Math.max(0, nanos);
        AtomicLongArray stripe = stripe();
        stripe.getAndIncrement(DurationBuckets.of(duration));
        stripe.getAndAdd(SUM, duration / 1_000 + duration % 1_000 / HALF_MICRO);
        stripe.accumulateAndGet(
                MAX, duration, Math::max); // no rare branch, whose first use would undo compiled callers
    }

    /** Threads that are created one after another, such as the loops of an engine, have different stripes. */
    @SuppressWarnings("deprecation") // Thread.threadId() came with Java 19
    private AtomicLongArray stripe() {
        int index = (int) (Thread.currentThread().getId() & (stripes.length() - 1));
        AtomicLongArray stripe = stripes.get(index);
        if (stripe != null) {
            return stripe;
        }
        AtomicLongArray created = new AtomicLongArray(MAX + 1);
        AtomicLongArray earlier = stripes.compareAndExchange(index, null, created);
        return earlier == null ? created : earlier;
    }

    /** A snapshot. */
    public DurationHistogram snapshot() {
        long[] counts = new long[DurationBuckets.COUNT];
        long sumMicros = 0;
        long maxNanos = 0;
        for (int i = 0; i < stripes.length(); i++) {
            AtomicLongArray stripe = stripes.get(i);
            if (stripe != null) {
                for (int bucket = 0; bucket < counts.length; bucket++) {
                    counts[bucket] += stripe.get(bucket);
                }
                sumMicros += stripe.get(SUM);
                maxNanos = Math.max(maxNanos, stripe.get(MAX));
            }
        }
        return new HistogramSnapshot(counts, sumMicros, maxNanos);
    }
}
