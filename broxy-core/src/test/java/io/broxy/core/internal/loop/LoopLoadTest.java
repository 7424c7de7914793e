package io.broxy.core.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.EngineStats;
import io.broxy.core.testkit.ManualTicker;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Specifies for how long a loop counts as busy. */
class LoopLoadTest {
    private final ManualTicker ticker = new ManualTicker();
    private final LoopLoad load = new LoopLoad(ticker.nanos());

    private EngineStats.Loop afterSeconds(long seconds) {
        ticker.advance(Duration.ofSeconds(seconds));
        return load.stats("loop", 0, 0, ticker);
    }

    private static EngineStats.Loop seconds(long busy, long running) {
        return new EngineStats.Loop("loop", 0, 0, Duration.ofSeconds(busy), Duration.ofSeconds(running));
    }

    @Test
    void workThatIsUnderWayCounts() {
        assertThat(afterSeconds(0)).isEqualTo(seconds(0, 0));
        assertThat(afterSeconds(3)).isEqualTo(seconds(3, 3));
        load.waits(ticker.nanos());
        assertThat(afterSeconds(10)).as("while it waits").isEqualTo(seconds(3, 13));
        load.works(ticker.nanos());
        assertThat(afterSeconds(2)).as("while it hangs").isEqualTo(seconds(5, 15));
    }

    @Test
    void changesWithoutEffectCountNothing() {
        afterSeconds(1);
        load.works(ticker.nanos()); // a turn that did not wait
        assertThat(afterSeconds(1)).isEqualTo(seconds(2, 2));
        load.waits(ticker.nanos());
        load.waits(ticker.nanos());
        assertThat(afterSeconds(1)).isEqualTo(seconds(2, 3));
        load.works(ticker.nanos());
        load.works(ticker.nanos());
        assertThat(afterSeconds(1)).isEqualTo(seconds(3, 4));
    }

    @Test
    void aLoopThatTellsLateOfItsWaitTakesNothingBack() {
        afterSeconds(1);
        long read = ticker.nanos();
        assertThat(afterSeconds(2)).as("it has not told yet").isEqualTo(seconds(3, 3));
        load.waits(read);
        assertThat(afterSeconds(1)).isEqualTo(seconds(3, 4));
        load.works(ticker.nanos());
        assertThat(afterSeconds(1)).as("1 s before the wait, and 1 s since").isEqualTo(seconds(3, 5));
        assertThat(afterSeconds(2)).isEqualTo(seconds(4, 7));
    }

    @Test
    void theShareIsThatBetweenTwoSnapshots() {
        afterSeconds(1);
        load.waits(ticker.nanos());
        EngineStats.Loop before = afterSeconds(1);
        load.works(ticker.nanos());
        afterSeconds(1);
        load.waits(ticker.nanos());
        assertThat(afterSeconds(3).busyShare(before)).isEqualTo(0.25);
    }
}
