package io.broxy.jmh.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.jmh.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies how rounds of whole-process measurements become rows of a report. */
class LabRowsTest {
    private static final double FOREIGN_LOAD = 15;

    private static WholeProcess lab() throws IOException {
        return LabRows.read(Files.readAllLines(Fixtures.path("lab.tsv")), FOREIGN_LOAD);
    }

    private static ProcessRow row(String key) throws IOException {
        return lab().rows().stream()
                .filter(row -> row.key().equals(key))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void roundsBecomeAMedianWithItsRange() throws IOException {
        ProcessRow broxy = row("connect32, broxy");

        assertThat(broxy.cpu()).isEqualTo(new Figure(82, 80, 84));
        assertThat(broxy.unit()).isEqualTo("µs/connection");
        assertThat(broxy.ratePerSecond()).isEqualTo(12_002);
        assertThat(broxy.p50Micros()).isEqualTo(100);
        assertThat(broxy.p99Micros()).isEqualTo(200);
        assertThat(broxy.runs()).isEqualTo(3);
        assertThat(broxy.remarks()).isEmpty();
    }

    @Test
    void ratioToTheFirstProxyIsTakenRoundByRound() throws IOException {
        assertThat(lab().reference()).isEqualTo("broxy");
        assertThat(row("connect32, floor").ratio()).isEqualTo(new Figure(72.0 / 80, 70.0 / 82, 84.0 / 84));
        assertThat(row("connect32, broxy").ratio()).isEqualTo(new Figure(1, 1, 1));
    }

    @Test
    void bulkIsToldInMillisecondsAGibibyteWithoutLatency() throws IOException {
        ProcessRow broxy = row("bulk16, broxy");

        assertThat(broxy.unit()).isEqualTo("ms/GiB");
        assertThat(broxy.cpu()).isEqualTo(new Figure(502, 501, 503));
        assertThat(broxy.p50Micros()).isZero();
    }

    @Test
    void runWithForeignLoadIsLeftOutAndTold() throws IOException {
        ProcessRow floor = row("bulk16, floor");

        assertThat(floor.runs()).isEqualTo(2);
        assertThat(floor.remarks()).isEqualTo("1 left out for foreign load");
    }

    @Test
    void howMuchForeignLoadSpoilsARunIsTheCallersChoice() throws IOException {
        WholeProcess lab = LabRows.read(Files.readAllLines(Fixtures.path("lab.tsv")), 50);

        assertThat(lab.rows()).allSatisfy(row -> assertThat(row.runs()).isEqualTo(3));
    }

    @Test
    void withoutARoundOfTheReferenceThereIsNoRatio() throws IOException {
        ProcessRow jetty = row("http32, jetty");

        assertThat(jetty.ratio()).isNull();
        assertThat(jetty.remarks()).isEqualTo("3 errors");
    }

    @Test
    void whatGaveNoFigureIsTold() throws IOException {
        assertThat(lab().failures())
                .containsExactly("idle tunnels of jetty failed", "http32 of broxy gave no figure: 3 failed");
    }

    @Test
    void conditionsAndWhatWasLeftOutComeWithTheRows() {
        WholeProcess lab = LabRows.read(
                List.of("round\tlabel", "about\t5 rounds of 1 s", "note\tsquid is left out: it is not installed"),
                FOREIGN_LOAD);

        assertThat(lab.conditions()).containsExactly("5 rounds of 1 s");
        assertThat(lab.failures()).containsExactly("squid is left out: it is not installed");
        assertThat(lab.rows()).isEmpty();
    }

    @Test
    void idleTunnelsHaveAHeapOnlyInAJvm() throws IOException {
        assertThat(lab().idle())
                .containsExactly(
                        new IdleRow(
                                "broxy",
                                new Figure(6.2, 6.1, 6.3),
                                new Figure(1.2, 1.1, 1.3),
                                new Figure(0.5, 0.5, 0.5)),
                        new IdleRow("floor", new Figure(0.2, 0.2, 0.2), null, new Figure(0, 0, 0)));
    }

    @Test
    void otherLinesAreRefusedWithTheirNumber() {
        assertThatThrownBy(() -> LabRows.read(List.of("round\tlabel", "1\tconnect32\tbroxy\tconnect\t-"), FOREIGN_LOAD))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("line 2 is not a row of the lab");
        assertThatThrownBy(() -> LabRows.read(List.of("one\tconnect32\tbroxy\tFAILED"), FOREIGN_LOAD))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("line 1 ");
    }
}
