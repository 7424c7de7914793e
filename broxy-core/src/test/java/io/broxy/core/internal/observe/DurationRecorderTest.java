package io.broxy.core.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import io.broxy.DurationHistogram;
import io.broxy.DurationHistogram.Bucket;
import io.broxy.core.testkit.Background;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

/** Specifies duration histograms: their buckets, counts and estimates, and that recording allocates nothing. */
class DurationRecorderTest {
    private static final int RECORDS = 10_000;

    private final DurationRecorder recorder = new DurationRecorder();

    private void record(Duration... durations) {
        for (Duration duration : durations) {
            recorder.record(duration.toNanos());
        }
    }

    // ------------------------------------------------------------------ buckets

    @Test
    void anEmptyHistogramHasZeros() {
        DurationHistogram empty = recorder.snapshot();
        assertThat(empty.count()).isZero();
        assertThat(List.of(empty.sum(), empty.max(), empty.quantile(0), empty.quantile(1)))
                .containsOnly(Duration.ZERO);
        assertThat(empty.buckets()).isEmpty();
        assertThat(empty.countAtMost(Duration.ofMillis(5))).isZero();
        assertThat(empty.minus(empty).count()).isZero();
    }

    @Test
    void everyBucketHasItsBoundsAndIsNarrow() {
        assertThat(DurationBuckets.above(0)).isZero();
        for (int bucket = 0; bucket < DurationBuckets.COUNT; bucket++) {
            long atMost = DurationBuckets.atMost(bucket);
            long above = DurationBuckets.above(bucket);
            assertThat(DurationBuckets.of(atMost))
                    .as("the upper bound %d", atMost)
                    .isEqualTo(bucket);
            assertThat(DurationBuckets.of(above + 1)).as("above %d", above).isEqualTo(bucket);
            if (bucket > 0 && bucket < DurationBuckets.COUNT - 1) {
                assertThat((double) atMost / above)
                        .as("the width of bucket %d", bucket)
                        .isLessThanOrEqualTo(1.125);
            }
        }
        assertThat(DurationBuckets.above(DurationBuckets.COUNT - 1))
                .isEqualTo(Duration.ofSeconds(100_000).toNanos());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PT0.001S",
                "PT0.0025S",
                "PT0.005S",
                "PT0.01S",
                "PT0.025S",
                "PT0.05S",
                "PT0.1S",
                "PT0.25S",
                "PT0.5S",
                "PT1S",
                "PT2.5S",
                "PT5S",
                "PT10S",
                "PT30S",
                "PT60S",
                "PT300S",
                "PT0.000001S",
                "PT100000S"
            })
    void theCountAtAUsualBoundIsExact(Duration bound) {
        record(bound.minusNanos(1), bound, bound.plusNanos(1), bound.multipliedBy(2));
        assertThat(recorder.snapshot().countAtMost(bound)).isEqualTo(2);
    }

    @Test
    void theCountAtAnyOtherBoundIsRefused() {
        record(Duration.ofMillis(3));
        for (Duration bound : List.of(
                Duration.ofMillis(5).plusNanos(1),
                Duration.ofMillis(5).minusNanos(1),
                Duration.ZERO,
                Duration.ofSeconds(-1),
                Duration.ofSeconds(100_001),
                Duration.ofNanos(Long.MAX_VALUE),
                Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> recorder.snapshot().countAtMost(bound))
                    .withMessageContaining(bound.toString());
        }
    }

    @Test
    void extremesAreInTheOuterBuckets() {
        recorder.record(-5);
        recorder.record(0);
        recorder.record(1);
        recorder.record(1_000);
        recorder.record(Long.MAX_VALUE);
        record(Duration.ofSeconds(100_000), Duration.ofSeconds(100_000).plusNanos(1));

        DurationHistogram all = recorder.snapshot();
        assertThat(all.buckets())
                .containsExactly(
                        new Bucket(Duration.ZERO, Duration.ofNanos(1_000), 4),
                        new Bucket(Duration.ofSeconds(95_000), Duration.ofSeconds(100_000), 1),
                        new Bucket(Duration.ofSeconds(100_000), Duration.ofNanos(Long.MAX_VALUE), 2));
        assertThat(all.max()).isEqualTo(Duration.ofNanos(Long.MAX_VALUE));
        assertThat(all.quantile(1)).isEqualTo(all.max());
        assertThat(all.sum().toDays()).as("no overflow").isGreaterThan(106_000);
    }

    // ------------------------------------------------------------------ estimates

    @Test
    void sumAndMaximumAreThoseOfTheDurations() {
        record(Duration.ofMillis(3), Duration.ofNanos(1_499), Duration.ofNanos(1_500), Duration.ofSeconds(2));
        DurationHistogram all = recorder.snapshot();
        assertThat(all.sum()).isEqualTo(Duration.ofSeconds(2).plusMillis(3).plusNanos(3_000));
        assertThat(all.max()).isEqualTo(Duration.ofSeconds(2));
        assertThat(all.toString()).contains("DurationHistogram[4, p50 ");
    }

    @Test
    void quantilesAreWithinSixPercent() {
        SplittableRandom random = new SplittableRandom(18);
        long[] nanos = new long[RECORDS];
        for (int i = 0; i < RECORDS; i++) {
            nanos[i] = (long) (1_000 * Math.pow(10, 9 * random.nextDouble())); // 1 µs to 1,000 s
            recorder.record(nanos[i]);
        }
        Arrays.sort(nanos);
        DurationHistogram all = recorder.snapshot();
        for (double share : new double[] {0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1}) {
            long exact = nanos[(int) Math.max(0, Math.ceil(share * RECORDS) - 1)];
            assertThat((double) all.quantile(share).toNanos() / exact)
                    .as("the quantile %s", share)
                    .isCloseTo(1, within(0.06));
        }
        assertThat(all.quantile(1)).isEqualTo(Duration.ofNanos(nanos[RECORDS - 1]));
    }

    @Test
    void aQuantileNeverExceedsTheMaximum() {
        record(Duration.ofNanos(2_300_000));
        assertThat(recorder.snapshot().quantile(0)).isEqualTo(Duration.ofNanos(2_300_000));
        recorder.record(300);
        assertThat(recorder.snapshot().quantile(0.5)).isLessThanOrEqualTo(Duration.ofNanos(1_000));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.01, 1.01, Double.NaN, Double.POSITIVE_INFINITY})
    void aQuantileOfNoShareIsRefused(double share) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> recorder.snapshot().quantile(share))
                .withMessageContaining("from 0 to 1");
    }

    // ------------------------------------------------------------------ windows

    @Test
    void theDifferenceHasOnlyWhatCameBetween() {
        record(Duration.ofSeconds(9), Duration.ofMillis(1));
        DurationHistogram before = recorder.snapshot();
        record(Duration.ofMillis(1), Duration.ofMillis(7));

        DurationHistogram between = recorder.snapshot().minus(before);
        assertThat(between.count()).isEqualTo(2);
        assertThat(between.sum()).isEqualTo(Duration.ofMillis(8));
        assertThat(between.max()).as("an upper bound").isEqualTo(Duration.ofMillis(7));
        assertThat(between.countAtMost(Duration.ofMillis(5))).isEqualTo(1);
        assertThat(before.count()).as("a snapshot does not change").isEqualTo(2);
    }

    @Test
    void aDifferenceToALaterOrAnotherHistogramIsRefused() {
        record(Duration.ofMillis(1));
        DurationHistogram before = recorder.snapshot();
        record(Duration.ofMillis(1));
        DurationHistogram after = recorder.snapshot();
        DurationRecorder other = new DurationRecorder();
        other.record(Duration.ofSeconds(5).toNanos());

        assertThatIllegalArgumentException().isThrownBy(() -> before.minus(after));
        assertThatIllegalArgumentException().isThrownBy(() -> after.minus(other.snapshot()));
        assertThatIllegalArgumentException().isThrownBy(() -> after.minus(Mockito.mock(DurationHistogram.class)));
    }

    // ------------------------------------------------------------------ threads

    @Test
    void noDurationOfAnyThreadIsLost() throws Exception {
        List<CompletableFuture<?>> threads = new ArrayList<>();
        for (int thread = 0; thread < 12; thread++) {
            long nanos = (thread + 1) * 1_000_000L;
            threads.add(Background.run(() -> {
                for (int i = 0; i < RECORDS; i++) {
                    recorder.record(nanos);
                }
            }));
        }
        for (CompletableFuture<?> thread : threads) {
            thread.join();
        }
        DurationHistogram all = recorder.snapshot();
        assertThat(all.count()).isEqualTo(12L * RECORDS);
        assertThat(all.sum()).isEqualTo(Duration.ofMillis(78L * RECORDS));
        assertThat(all.max()).isEqualTo(Duration.ofMillis(12));
    }

    @Test
    void recordingAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        recordMany();
        long before = threads.getCurrentThreadAllocatedBytes();
        recordMany();
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        // Less than a byte each: the JVM itself may allocate a little, such as a class.
        assertThat(allocated).isLessThan(RECORDS);
    }

    private void recordMany() {
        for (int i = 0; i < RECORDS; i++) {
            recorder.record(i * 1_000L);
        }
    }
}
