package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how durations are written in options, and which are refused. */
class DurationConverterTest {

    @ParameterizedTest
    @CsvSource({
        "500ms, PT0.5S",
        "10s, PT10S",
        "5m, PT5M",
        "1h, PT1H",
        "0s, PT0S",
        "007s, PT7S",
        "PT1M30S, PT1M30S",
        "pt1.5s, PT1.5S",
        "P1D, PT24H",
    })
    void timesAreWrittenShortOrInIso8601(String text, Duration time) {
        assertThat(new DurationConverter().convert(text)).isEqualTo(time);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10",
                "s",
                "10 s",
                " 10s",
                "10S",
                "10d",
                "1.5s",
                "+1s",
                "1m30s",
                "٣s",
                "99999999999999999999s", // no long
                "9223372036854775807h", // no Duration
                "PT",
                "P1Y"
            })
    void everythingElseIsRefused(String text) {
        assertThatThrownBy(() -> new DurationConverter().convert(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a time such as");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1S", "-PT1S", "-1s"})
    void noTimeIsNegative(String text) {
        assertThatThrownBy(() -> new DurationConverter().convert(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0ms", "PT0S", "-PT1S"})
    void aTimeOutIsMoreThanZero(String text) {
        assertThatThrownBy(() -> new DurationConverter.Positive().convert(text))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
