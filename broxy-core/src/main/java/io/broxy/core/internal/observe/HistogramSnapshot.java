package io.broxy.core.internal.observe;

import io.broxy.DurationHistogram;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The counts of {@link DurationBuckets} at some time, or their growth between two times.
 *
 * <p>Threading: immutable.
 */
final class HistogramSnapshot implements DurationHistogram {
    private final long[] counts;
    private final long count;
    private final long sumMicros;
    private final long maxNanos;

    /** Takes the counts of all buckets; the array is not copied. */
    HistogramSnapshot(long[] counts, long sumMicros, long maxNanos) {
        this.counts = counts;
        this.count = LongStream.of(counts).sum();
        this.sumMicros = sumMicros;
        this.maxNanos = maxNanos;
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public Duration sum() {
        return Duration.of(sumMicros, ChronoUnit.MICROS);
    }

    @Override
    public Duration max() {
        return Duration.ofNanos(maxNanos);
    }

    @Override
    public Duration quantile(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("a quantile's share is from 0 to 1, not " + share);
        }
        if (count == 0) {
            return Duration.ZERO;
        }
        long rank = Math.max(1, (long) Math.ceil(share * count));
        int bucket = 0;
        for (long seen = counts[0]; seen < rank; ) {
            seen += counts[++bucket];
        }
        return Duration.ofNanos(Math.min(maxNanos, rank == count ? maxNanos : middle(bucket)));
    }

    /** The duration whose relative distance to both bounds is the same. */
    private static long middle(int bucket) {
        double above = DurationBuckets.above(bucket);
        double atMost = DurationBuckets.atMost(bucket);
        return bucket == 0 ? DurationBuckets.atMost(0) : (long) (2 * above * atMost / (above + atMost));
    }

    @Override
    public long countAtMost(Duration bound) {
        long nanos = bound.isNegative() || bound.compareTo(Duration.ofNanos(Long.MAX_VALUE)) >= 0 ? 0 : bound.toNanos();
        int bucket = DurationBuckets.of(nanos);
        if (DurationBuckets.atMost(bucket) != nanos) {
            throw new IllegalArgumentException("not the bound of a bucket: " + bound);
        }
        return LongStream.of(counts).limit(bucket + 1L).sum();
    }

    @Override
    public List<Bucket> buckets() {
        List<Bucket> filled = new ArrayList<>();
        for (int bucket = 0; bucket < counts.length; bucket++) {
            if (counts[bucket] > 0) {
                filled.add(new Bucket(
                        Duration.ofNanos(DurationBuckets.above(bucket)),
                        Duration.ofNanos(
                                bucket == DurationBuckets.COUNT - 1 ? maxNanos : DurationBuckets.atMost(bucket)),
                        counts[bucket]));
            }
        }
        return Collections.unmodifiableList(filled);
    }

    @Override
    public DurationHistogram minus(DurationHistogram earlier) {
        if (!(earlier instanceof HistogramSnapshot other)) {
            throw new IllegalArgumentException("not a snapshot of Broxy's: " + earlier);
        }
        long[] grown = new long[counts.length];
        long longest = 0;
        for (int bucket = 0; bucket < counts.length; bucket++) {
            grown[bucket] = counts[bucket] - other.counts[bucket];
            if (grown[bucket] < 0) {
                throw new IllegalArgumentException("not an earlier snapshot of the same durations: " + earlier);
            }
            if (grown[bucket] > 0) {
                longest = DurationBuckets.atMost(bucket);
            }
        }
        return new HistogramSnapshot(grown, Math.max(0, sumMicros - other.sumMicros), Math.min(maxNanos, longest));
    }

    /** Sums it up. */
    @Override
    public String toString() {
        return "DurationHistogram[" + count + ", p50 " + quantile(0.5) + ", p99 " + quantile(0.99) + ", max " + max()
                + "]";
    }
}
