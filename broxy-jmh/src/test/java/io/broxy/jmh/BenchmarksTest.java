package io.broxy.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Specifies that each benchmark runs; its speed is measured on a quiet machine. */
class BenchmarksTest {

    private static ChainedOptionsBuilder options(Class<?> benchmark) {
        return new OptionsBuilder()
                .include(benchmark.getName() + "\\.")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(100))
                .addProfiler(BroxyAllocation.class)
                .shouldFailOnError(true);
    }

    private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        Collection<RunResult> results = new Runner(options.build()).run();
        assertThat(results)
                .allSatisfy(result ->
                        assertThat(result.getPrimaryResult().getScore()).isPositive());
        return results;
    }

    @Test
    void copyConnRunsWithEachSizeAndPhase() throws RunnerException {
        assertThat(run(options(CopyConnBenchmark.class))).hasSize(8);
    }

    @Test
    void handleConnectDirectRunsAndCountsWhatBroxyAllocates() throws RunnerException {
        Collection<RunResult> results =
                run(options(HandleConnectDirectBenchmark.class).param("implementation", "broxy", "blocking"));

        assertThat(results)
                .filteredOn(result -> result.getSecondaryResults().containsKey("broxy.alloc.norm"))
                .singleElement()
                .satisfies(result -> {
                    assertThat(result.getParams().getParam("implementation")).isEqualTo("broxy");
                    assertThat(result.getSecondaryResults())
                            .hasEntrySatisfying(
                                    "broxy.alloc.norm",
                                    bytes -> assertThat(bytes.getScore()).isPositive());
                });
    }

    /** With a warm pool the benchmark itself fails if a dial does not find a spare. */
    @Test
    void handleConnectHttpProxyRunsWithAndWithoutSpares() throws RunnerException {
        assertThat(run(options(HandleConnectHttpProxyBenchmark.class))).hasSize(2);
    }

    @Test
    void dialDirectRunsForBroxyAndForThePlainJdk() throws RunnerException {
        assertThat(run(options(DialDirectBenchmark.class))).hasSize(2);
    }

    @Test
    void dialHttpProxyRunsWithAndWithoutSpares() throws RunnerException {
        assertThat(run(options(DialHttpProxyBenchmark.class))).hasSize(2);
    }

    /** It fails by itself if a lease does not find a tunnel. */
    @Test
    void leaseHttpProxyRuns() throws RunnerException {
        assertThat(run(options(LeaseHttpProxyBenchmark.class))).hasSize(1);
    }

    @Test
    void handleHttpDirectRuns() throws RunnerException {
        assertThat(run(options(HandleHttpDirectBenchmark.class).param("implementation", "netty-nio")))
                .hasSize(1);
    }

    @Test
    void tunnelBulkRuns() throws RunnerException {
        assertThat(run(options(TunnelBulkBenchmark.class).param("implementation", "broxy")))
                .hasSize(1);
    }
}
