package io.broxy.core.internal.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Specifies which durations are accepted, and how they become nanoseconds. */
class DurationsTest {

    @Test
    void durationsAreGivenInNanoseconds() {
        assertThat(Durations.positiveNanos(Duration.ofMillis(250), "a time")).isEqualTo(250_000_000);
        assertThat(Durations.positiveNanos(Duration.ofNanos(1), "a time")).isEqualTo(1);
        assertThat(Durations.nanos(Duration.ofSeconds(1, 1), "a time")).isEqualTo(1_000_000_001);
        assertThat(Durations.nanos(Duration.ZERO, "a time")).isZero();
    }

    @Test
    void whatDoesNotFitIsCutSoThatNowAndItStillCompareRight() {
        for (Duration endless : new Duration[] {
            Duration.ofSeconds(Long.MAX_VALUE), Duration.ofNanos(Long.MAX_VALUE), Duration.ofDays(365 * 200)
        }) {
            long nanos = Durations.positiveNanos(endless, "a time");

            assertThat(nanos).isEqualTo(Long.MAX_VALUE / 2).isEqualTo(Durations.nanos(endless, "a time"));
            for (long now : new long[] {0, -1, Long.MAX_VALUE, Long.MIN_VALUE}) {
                assertThat(now + nanos - now).as("later than %s", now).isPositive();
            }
        }
    }

    @Test
    void theLongestThatFitsIsNotCut() {
        long longest = Long.MAX_VALUE / 2;

        assertThat(Durations.nanos(Duration.ofNanos(longest), "a time")).isEqualTo(longest);
        assertThat(Durations.nanos(Duration.ofNanos(longest - 1), "a time")).isEqualTo(longest - 1);
        assertThat(Durations.nanos(Duration.ofNanos(longest + 1), "a time")).isEqualTo(longest);
    }

    @Test
    void aNegativeOneIsRefusedByItsName() {
        for (Duration negative : new Duration[] {Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE)}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Durations.nanos(negative, "the grace time"))
                    .withMessage("the grace time must not be negative, but is " + negative);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Durations.positiveNanos(negative, "the idle timeout"))
                    .withMessage("the idle timeout must be positive, not " + negative);
        }
    }

    @Test
    void zeroIsNotPositive() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Durations.positiveNanos(Duration.ZERO, "the idle timeout"))
                .withMessage("the idle timeout must be positive, not PT0S");
    }
}
