package io.broxy.jmh.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies the section of a report with the figures of whole processes. */
class ProcessReportTest {

    static ProcessRow row(String mode, String proxy, double cpu, double ratio) {
        return new ProcessRow(
                mode,
                proxy,
                new LabMode(mode).unit(),
                new Figure(cpu, cpu, cpu),
                new Figure(ratio, ratio - 0.1, ratio + 0.2),
                1_000,
                100,
                200,
                5,
                "");
    }

    private static final WholeProcess MEASURED = new WholeProcess(
            "floor",
            List.of("5 rounds of 1 s"),
            List.of(
                    row("connect32", "floor", 100, 1),
                    row("connect32", "floor-again", 103, 1.03),
                    row("connect32", "broxy17", 140, 1.4),
                    row("http32", "floor", 17, 1),
                    row("http32", "broxy17", 24, 1.41)),
            List.of(
                    new IdleRow("floor", new Figure(0.2, 0.2, 0.2), null, new Figure(0, 0, 0)),
                    new IdleRow("broxy17", new Figure(0, 0, 0), new Figure(1.9, 1.8, 2), new Figure(0, 0, 0))),
            List.of("squid is left out: it is not installed"));

    private static final String PAGE = ProcessReport.text("Whole process", MEASURED);

    @Test
    void overviewHasALineForEachProxyAndAColumnForEachLoad() {
        assertThat(PAGE)
                .contains("| CPU, ratio | connect32 | http32 | idle tunnel, KiB |")
                .contains("| floor | 1 = 100 µs/connection | 1 = 17.0 µs/request | 0.20 |")
                .contains("| floor-again | 1.03 | – | – |")
                .contains("| broxy17 | 1.40 | 1.41 | 1.90 of heap |");
    }

    @Test
    void eachLoadIsExplainedAndHasRangesInATableOfItsOwn() {
        assertThat(PAGE)
                .contains("### connect32\n\nA unit: CONNECT, 15,360 bytes to the origin and back, close; 32 at once.")
                .contains("| broxy17 | 140 | 140–140 | 1.40 | 1.30–1.60 | 1,000 | 100 | 200 | 5 |");
    }

    @Test
    void twoEqualProcessesTellTheNoise() {
        assertThat(PAGE).contains("two equal processes of floor: connect32 1.03 (0.93–1.23).");
    }

    @Test
    void conditionsAndWhatWasLeftOutAreListed() {
        assertThat(PAGE)
                .contains("- 5 rounds of 1 s\n")
                .contains("### Left out\n\n- squid is left out: it is not installed\n");
    }

    @Test
    void nothingMeasuredIsNoSection() {
        assertThat(ProcessReport.text("Whole process", WholeProcess.NONE)).isEmpty();
    }
}
