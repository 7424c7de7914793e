package io.broxy.examples.admin;

import io.broxy.DurationHistogram;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Durations as a Prometheus histogram with classic buckets.
 *
 * <p>Threading: thread-safe.
 */
final class DurationMetric implements Collector {
    /** Bounds for what a client waits for, 1 ms to 60 s. */
    static final List<Duration> SHORT = Stream.of(
                    1, 3, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
            .map(Duration::ofMillis)
            .toList();

    /** Bounds for what lasts, 100 ms to 27 hours. */
    static final List<Duration> LONG = Stream.of(
                    100,
                    500,
                    1_000,
                    5_000,
                    10_000,
                    30_000,
                    60_000,
                    300_000,
                    900_000,
                    3_500_000,
                    15_000_000,
                    100_000_000)
            .map(Duration::ofMillis)
            .toList();

    private static final double NANOS_PER_SECOND = 1e9;

    private final String name;
    private final String help;
    private final List<Duration> bounds;
    private final Supplier<DurationHistogram> durations;

    /**
     * Creates one.
     *
     * @param bounds each is a bound at which the histogram's counts are exact
     */
    DurationMetric(String name, String help, List<Duration> bounds, Supplier<DurationHistogram> durations) {
        this.name = name;
        this.help = help;
        this.bounds = bounds;
        this.durations = durations;
    }

    @Override
    public HistogramSnapshot collect() {
        DurationHistogram now = durations.get();
        ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
        long below = 0;
        for (Duration bound : bounds) {
            long atMost = now.countAtMost(bound);
            buckets.bucket(seconds(bound), atMost - below);
            below = atMost;
        }
        buckets.bucket(Double.POSITIVE_INFINITY, now.count() - below);
        return HistogramSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(HistogramDataPointSnapshot.builder()
                        .classicHistogramBuckets(buckets.build())
                        .sum(seconds(now.sum()))
                        .build())
                .build();
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / NANOS_PER_SECOND;
    }
}
