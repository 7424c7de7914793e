package io.broxy;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A snapshot of a distribution of durations since the start of what recorded them. Its {@linkplain #minus difference} to an
 * earlier snapshot is the distribution of the time between them. Broxy implements it, and may add methods.
 *
 * <p>Each duration falls into a bucket, whose upper bound is inclusive. From 1 µs to 100,000 s each decade has 32 buckets, with
 * the upper bounds 1.1, 1.2, … 2, 2.25, 2.5, … 5, 5.5, 6, … 10 times a power of ten; a last bucket has everything above. So
 * every bound that dashboards commonly use (5 ms, 10 ms, 25 ms, 50 ms, 100 ms, 250 ms, …) is the bound of a bucket, and the
 * counts at such bounds are exact.
 *
 * <p>Threading: immutable.
 */
public interface DurationHistogram {

    /**
     * A bucket that has durations in it. Threading: immutable.
     *
     * @param above the exclusive lower bound; zero for the first bucket, which includes zero
     * @param atMost the inclusive upper bound; for the last bucket, which has none, the longest duration
     * @param count how many durations are in the bucket, at least 1
     */
    record Bucket(Duration above, Duration atMost, long count) {

        /** Checks for null. */
        public Bucket {
            Objects.requireNonNull(above, "above");
            Objects.requireNonNull(atMost, "atMost");
        }
    }

    /** How many durations were recorded. */
    long count();

    /** The sum of the durations, each rounded to microseconds. */
    Duration sum();

    /**
     * The longest duration; zero if there is none. For a {@linkplain #minus difference}, which does not know its longest duration, it
     * is an upper bound of it: that of the highest bucket with a count.
     */
    Duration max();

    /**
     * An estimate of a quantile: of the duration that the given share of all durations does not exceed. Between 1 µs and 100,000 s its
     * relative error is 6 % at most, and it never exceeds {@link #max()}.
     *
     * @param share from 0 to 1: 0.5 for the median, 0.99 for the 99th percentile, 1 for the longest duration
     * @return zero if there are no durations
     * @throws IllegalArgumentException if the share is not from 0 to 1
     */
    Duration quantile(double share);

    /**
     * The exact number of durations that do not exceed a bound, for example for a bucket of a Prometheus histogram.
     *
     * @param bound the upper bound of a bucket: 1.1, 1.2, … 2, 2.25, … 5, 5.5, … or 10 times a power of ten, from 1 µs to 100,000 s
     * @throws IllegalArgumentException if it is not the bound of a bucket, so that the number is not known exactly
     */
    long countAtMost(Duration bound);

    /** The buckets that have durations in them, from the shortest to the longest; unmodifiable. */
    List<Bucket> buckets();

    /**
     * What was recorded between an earlier snapshot and this one.
     *
     * @param earlier a snapshot that the same thing took earlier
     * @throws IllegalArgumentException if it is not: if a bucket of it has more durations than this one's, or it is no snapshot of
     *     Broxy's
     */
    DurationHistogram minus(DurationHistogram earlier);
}
