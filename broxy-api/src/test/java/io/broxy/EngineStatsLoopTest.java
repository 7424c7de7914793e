package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Specifies the share of the time in which a loop was busy between two snapshots. */
class EngineStatsLoopTest {
    private static EngineStats.Loop loop(String name, long busyMillis, long runningMillis) {
        return new EngineStats.Loop(name, 1, 2, Duration.ofMillis(busyMillis), Duration.ofMillis(runningMillis));
    }

    @Test
    void theShareIsThatOfTheTimeBetween() {
        assertThat(loop("a", 400, 2_000).busyShare(loop("a", 150, 1_000))).isEqualTo(0.25);
        assertThat(loop("a", 400, 2_000).busyShare(loop("a", 400, 2_000)))
                .as("no time")
                .isZero();
    }

    @Test
    void anotherLoopOrALaterSnapshotIsRefused() {
        EngineStats.Loop loop = loop("a", 400, 2_000);
        assertThatIllegalArgumentException().isThrownBy(() -> loop.busyShare(loop("b", 150, 1_000)));
        assertThatIllegalArgumentException().isThrownBy(() -> loop.busyShare(loop("a", 150, 2_001)));
        assertThatIllegalArgumentException().isThrownBy(() -> loop.busyShare(loop("a", 401, 2_000)));
    }
}
