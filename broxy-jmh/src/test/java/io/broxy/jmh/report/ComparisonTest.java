package io.broxy.jmh.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.Fixtures;
import io.broxy.jmh.report.Change.Verdict;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Specifies which differences between two result files are changes and which are noise. */
class ComparisonTest {
    private static final double FIVE_PERCENT = 0.05;

    private static Verdict verdict(String what, double least) throws IOException {
        return Comparison.of(Fixtures.results("before.json"), Fixtures.results("after.json"), least).changes().stream()
                .filter(change -> change.what().equals(what))
                .findFirst()
                .orElseThrow()
                .verdict();
    }

    @Test
    void lessTimeBeyondBothIntervalsIsImproved() throws IOException {
        assertThat(verdict("CopyConn 1 KiB, broxy, pooled: ns/op", FIVE_PERCENT))
                .isEqualTo(Verdict.IMPROVED);
    }

    @Test
    void moreBytesOrProcessorTimeBeyondBothIntervalsIsWorse() throws IOException {
        assertThat(verdict("HandleConnect_Direct, broxy, pooled: B/op", FIVE_PERCENT))
                .isEqualTo(Verdict.WORSE);
        assertThat(verdict("connect32, broxy: CPU µs/connection", FIVE_PERCENT)).isEqualTo(Verdict.WORSE);
    }

    @Test
    void aFifthMoreIsNoiseWhereTheIntervalsOverlap() throws IOException {
        assertThat(verdict("HandleConnect_Direct, jetty: ns/op", FIVE_PERCENT)).isEqualTo(Verdict.WITHIN_NOISE);
    }

    @Test
    void aSmallChangeIsNoiseHoweverNarrowTheIntervals() throws IOException {
        String what = "HandleConnect_Direct, broxy, pooled: ns/op";

        assertThat(verdict(what, FIVE_PERCENT)).isEqualTo(Verdict.WITHIN_NOISE);
        assertThat(verdict(what, 0.01)).isEqualTo(Verdict.WORSE);
    }

    @Test
    void aFewBytesAreNoise() throws IOException {
        assertThat(verdict("CopyConn 1 KiB, broxy, pooled: B/op", 0)).isEqualTo(Verdict.WITHIN_NOISE);
    }

    @Test
    void figuresOfOneFileOnlyAreMissingOrNew() throws IOException {
        assertThat(verdict("HandleConnect_Direct, littleproxy: ns/op", FIVE_PERCENT))
                .isEqualTo(Verdict.ONLY_BEFORE);
        assertThat(verdict("HandleHTTP_Direct, broxy, pooled: ns/op", FIVE_PERCENT))
                .isEqualTo(Verdict.ONLY_AFTER);
    }

    @Test
    void sameMachineGivesNoWarning() throws IOException {
        assertThat(Comparison.of(Fixtures.results("before.json"), Fixtures.results("after.json"), FIVE_PERCENT)
                        .warnings())
                .isEmpty();
    }

    @Test
    void anotherMachineAndAQuickRunGiveWarnings() throws IOException {
        Comparison comparison =
                Comparison.of(Fixtures.results("before.json"), Fixtures.results("elsewhere.json"), FIVE_PERCENT);

        assertThat(comparison.warnings())
                .containsExactly(
                        "different machines: processor: A / B",
                        "different machines: cores: 2 / 8",
                        "different machines: JDK: 17.0.15+6 / 25+36",
                        "a quick run is too short to judge by");
        assertThat(comparison.text()).startsWith("Warning: different machines: processor: A / B\n");
    }

    @Test
    void pageShowsEachFigureWithItsVerdictAndCountsThem() throws IOException {
        String text = Comparison.of(Fixtures.results("before.json"), Fixtures.results("after.json"), FIVE_PERCENT)
                .text();

        assertThat(text)
                .contains("| CopyConn 1 KiB, broxy, pooled: ns/op | 500 (490–510) | 400 (395–405) | 0.80 | improved |")
                .contains(
                        "| HandleConnect_Direct, littleproxy: ns/op | 400,000 (390,000–410,000) | – | – | missing in the newer |")
                .endsWith("1 improved, 2 WORSE, 6 within noise, 2 missing in the newer, 3 new\n");
    }
}
