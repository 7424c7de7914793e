package io.broxy.jmh.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.Fixtures;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies the report page: its head, tables, ratios and warnings. */
class MarkdownReportTest {

    private static String page(Results results) {
        return new MarkdownReport(results, "picture.svg").text();
    }

    private static Row copy(String implementation, String phase, double nanos, double bytes) {
        return new Row(
                "CopyConn 1 KiB",
                implementation,
                phase,
                1_024,
                Figure.ofMean(nanos, nanos / 50),
                Figure.ofMean(bytes, 0),
                null,
                List.of(nanos));
    }

    private static Results with(List<Row> rows, boolean quick) throws IOException {
        Results some = Fixtures.results("before.json");
        return Results.ofMatrix(some.date(), quick, some.command(), some.machine(), rows, List.of());
    }

    @Test
    void headTellsWhereAndHowItWasMeasured() throws IOException {
        assertThat(page(Fixtures.results("before.json")))
                .contains("| commit | aaaaaaaaaaaa |")
                .contains("| machine | A, 2 cores, 24,000 MiB |")
                .contains("| JDK | 17.0.15+6 |")
                .contains("| command | `java -jar broxy-benchmarks.jar` |")
                .doesNotContain("quick");
    }

    @Test
    void matrixHasAColumnForEachPhase() throws IOException {
        String page =
                page(with(List.of(copy("jdk", "unpooled", 5_000, 34_080), copy("broxy", "pooled", 500, 1_318)), false));

        assertThat(page)
                .contains("| CopyConn 1 KiB | 5,000 ns/op ±2.0 %, 205 MB/s, 34,080 B/op"
                        + " | 500 ns/op ±2.0 %, 2,048 MB/s, 1,318 B/op | – |");
    }

    @Test
    void summarySaysWhatAPhaseGains() throws IOException {
        String page =
                page(with(List.of(copy("jdk", "unpooled", 5_000, 34_080), copy("broxy", "pooled", 500, 1_318)), false));

        assertThat(page).contains("| CopyConn 1 KiB | unpooled | pooled | 10.0 | 25.9 |");
    }

    @Test
    void peersStandBesideBroxyWithTheirRatio() throws IOException {
        assertThat(page(Fixtures.results("before.json")))
                .contains("| HandleConnect_Direct | broxy | 100,000 | 2.0 % | 307 | 5,000 | 1 |")
                .contains("| HandleConnect_Direct | jetty | 300,000 | 17 % | 102 | 50,000 | 3.00 |")
                .contains("![ratios](picture.svg)")
                .contains("| HandleConnect_Direct | 3,000 |");
    }

    @Test
    void whatWasNotMeasuredIsTold() throws IOException {
        assertThat(page(Fixtures.results("after.json")))
                .contains("## Not measured\n\n- HandleConnect_Direct, littleproxy: failed, see JMH's log\n");
    }

    @Test
    void wholeProcessesHaveSectionsOfTheirOwn() throws IOException {
        assertThat(page(Fixtures.results("before.json")))
                .contains("## The matrix")
                .contains("## Whole process")
                .contains("| broxy | 80.0 | 78.0–82.0 | 1.00 | 1.00–1.00 | 12,000 | 2,500 | 4,000 | 5 |")
                .contains("| broxy | 6.00 | 5.50–6.50 | 1.90 | 1.00 |");
        assertThat(page(with(List.of(), false))).doesNotContain("Whole process");
    }

    @Test
    void pageOfWholeProcessesHasNoMatrixButThePicture() throws IOException {
        Results matrix = Fixtures.results("before.json");
        String page = page(Results.ofProcesses(
                "2026-11-30",
                false,
                "lab/whole-process.sh",
                matrix.machine(),
                matrix.wholeProcess(),
                matrix.wholeProcess()));

        assertThat(page)
                .contains("![CPU relative to the reference](picture.svg)")
                .contains("## Whole process")
                .contains("## TLS to clients")
                .doesNotContain("## The matrix");
    }

    @Test
    void quickRunWarnsItsReader() throws IOException {
        assertThat(page(with(List.of(), true))).contains("A quick run: ");
    }

    @Test
    void numbersHaveDigitsEnoughToBeToldApart() {
        assertThat(Numbers.plain(1_234.4)).isEqualTo("1,234");
        assertThat(Numbers.plain(12.34)).isEqualTo("12.3");
        assertThat(Numbers.plain(1.234)).isEqualTo("1.23");
        assertThat(Numbers.plain(-0.0)).isEqualTo("0");
        assertThat(Numbers.percent(0.0234)).isEqualTo("2.3 %");
        assertThat(Numbers.percent(1.2)).isEqualTo("120 %");
    }

    @Test
    void barInACellDoesNotEndIt() {
        MarkdownTable table = new MarkdownTable("a", "b");
        table.add("x|y", "line\nbreak");

        assertThat(table.text()).isEqualTo("| a | b |\n|---|---|\n| x\\|y | line break |\n\n");
    }
}
