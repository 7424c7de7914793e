package io.broxy.core.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.observe.UsageWindow.Top;
import io.broxy.core.internal.observe.UsageWindow.Usage;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies what is known about the usage of the last minute, and that it is bounded. */
class UsageWindowTest {
    private final UsageWindow<String> window = new UsageWindow<>(0);

    private static long seconds(long seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }

    @Test
    void theBusiestComeFirstByBytesOrByRequests() {
        window.add("many", 10, 1, 1);
        window.add("large", 1, 100, 200);
        window.add("small", 2, 3, 4);

        assertThat(window.top(2, true))
                .isEqualTo(
                        new Top<>(List.of(new Usage<>("large", 1, 100, 200), new Usage<>("small", 2, 3, 4)), 10, 1, 1));
        assertThat(window.top(1, false).usages()).containsExactly(new Usage<>("many", 10, 1, 1));
        assertThat(window.top(0, true)).isEqualTo(new Top<>(List.of(), 13, 104, 205));
    }

    @Test
    void whatIsOlderThanAMinuteIsForgotten() {
        window.add("early", 1, 2, 3);
        window.advance(seconds(30));
        window.add("late", 4, 5, 6);
        window.add("early", 1, 0, 0);

        window.advance(seconds(59));
        assertThat(window.top(9, false).usages())
                .containsExactly(new Usage<>("late", 4, 5, 6), new Usage<>("early", 2, 2, 3));
        window.advance(seconds(60));
        assertThat(window.top(9, false).usages())
                .containsExactly(new Usage<>("late", 4, 5, 6), new Usage<>("early", 1, 0, 0));
        window.advance(seconds(90));
        assertThat(window.top(9, false)).isEqualTo(new Top<>(List.of(), 0, 0, 0));
    }

    @Test
    void aLongPauseForgetsEverything() {
        window.add("early", 1, 2, 3);
        window.advance(seconds(100_000));
        assertThat(window.top(9, true).usages()).isEmpty();
        window.add("new", 1, 2, 3);
        window.advance(seconds(100_059));
        assertThat(window.top(9, true).usages()).containsExactly(new Usage<>("new", 1, 2, 3));
        window.advance(seconds(100_060));
        assertThat(window.top(9, true).usages()).isEmpty();
    }

    @Test
    void keysBeyondTheLimitAreInOneSum() {
        for (int key = 0; key < UsageWindow.MAX_KEYS + 500; key++) {
            window.add("key " + key, 1, 10, 100);
        }
        Top<String> all = window.top(Integer.MAX_VALUE, true);
        assertThat(all.usages()).hasSize(UsageWindow.MAX_KEYS);
        assertThat(all)
                .extracting(Top::requests, Top::bytesToOrigin, Top::bytesToClient)
                .containsExactly(500L, 5_000L, 50_000L);
    }

    @Test
    void lightKeysMakeRoomForABusyOneThatComesLater() {
        window.add("busy before", 1, 0, 1_000);
        window.add("asked often", 50, 0, 0);
        for (int key = 0; key < 10 * UsageWindow.MAX_KEYS; key++) {
            window.add("flood " + key, 1, 1, 1);
        }
        window.add("busy later", 1, 0, 5_000);
        assertThat(window.top(1, true).usages())
                .as("before there is room")
                .extracting(Usage::key)
                .containsExactly("busy before");

        window.advance(seconds(5));
        window.add("busy later", 1, 0, 5_000);
        Top<String> top = window.top(2, true);
        assertThat(top.usages())
                .containsExactly(new Usage<>("busy later", 1, 0, 5_000), new Usage<>("busy before", 1, 0, 1_000));
        assertThat(window.top(1, false).usages()).containsExactly(new Usage<>("asked often", 50, 0, 0));
        assertThat(top.requests()).as("nothing is lost").isEqualTo(50 + 10 * UsageWindow.MAX_KEYS + 1);
        assertThat(top.bytesToClient()).isEqualTo(10 * UsageWindow.MAX_KEYS + 5_000);

        window.advance(seconds(65));
        assertThat(window.top(2, true)).isEqualTo(new Top<>(List.of(), 0, 0, 0));
    }
}
