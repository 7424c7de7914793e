package io.broxy.jmh.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.peer.Peer;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Specifies the matrix of cases: every benchmark, row and peer, and the time that a run takes. */
class MatrixTest {

    @Test
    void everyBenchmarkIsInTheMatrix() {
        Set<String> known = BenchmarkList.defaultList()
                .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of())
                .stream()
                .map(BenchmarkListEntry::getUserClassQName)
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(Matrix.cases())
                .extracting(each -> each.benchmark().getName())
                .hasSameElementsAs(known);
    }

    @Test
    void rowsAreTheSeedsInItsOrderAndTwoMore() {
        assertThat(Matrix.cases().stream().map(Case::row).distinct())
                .containsExactly(
                        "CopyConn 1 KiB",
                        "CopyConn 32 KiB",
                        "CopyConn 256 KiB",
                        "CopyConn 1 MiB",
                        "HandleConnect_Direct",
                        "HandleConnect_HTTPProxy",
                        "Dial_Direct",
                        "Dial_HTTPProxy",
                        "Lease_HTTPProxy",
                        "HandleHTTP_Direct",
                        "TunnelBulk 4 MiB");
    }

    @Test
    void everyPeerIsInTheRowsThatItCanServe() {
        assertThat(implementations(each -> each.row().equals("HandleConnect_Direct")))
                .containsExactlyInAnyOrderElementsOf(Peer.labels());
        assertThat(implementations(each -> each.row().equals("HandleHTTP_Direct")))
                .containsExactlyInAnyOrder("broxy", "netty-nio", "netty-epoll", "jetty", "littleproxy", "vertx");
    }

    private static Set<String> implementations(Predicate<Case> which) {
        return Matrix.cases().stream().filter(which).map(Case::implementation).collect(Collectors.toSet());
    }

    @Test
    void noTwoCasesAreCalledTheSame() {
        assertThat(Matrix.cases()).extracting(Case::title).doesNotHaveDuplicates();
    }

    @Test
    void fullRunStaysUnderTwentyMinutesAndAQuickOneUnderThree() {
        assertThat(seconds(Length.FULL)).isLessThan(20 * 60.0);
        assertThat(seconds(Length.QUICK)).isLessThan(3 * 60.0);
    }

    /** What the iterations take, and the start of each JVM. */
    private static double seconds(Length length) {
        double each = length.warmups() * length.warmup().convertTo(TimeUnit.MILLISECONDS)
                + length.iterations() * length.iteration().convertTo(TimeUnit.MILLISECONDS)
                + 2_000;
        return Matrix.cases().size() * length.forks() * each / 1_000;
    }
}
