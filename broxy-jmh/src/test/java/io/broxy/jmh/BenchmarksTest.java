package io.broxy.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Each benchmark runs; how fast, is for a quiet machine to say. */
class BenchmarksTest {

    private static Collection<RunResult> run(Class<?> benchmark) throws RunnerException {
        Options options = new OptionsBuilder()
                .include(benchmark.getName() + "\\.")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(200))
                .addProfiler(BroxyAllocation.class)
                .shouldFailOnError(true)
                .build();
        return new Runner(options).run();
    }

    @Test
    void copierRunsWithEachSize() throws RunnerException {
        assertThat(run(CopierBenchmark.class))
                .hasSize(4)
                .allSatisfy(result -> assertThat(score(result)).isPositive());
    }

    @Test
    void handleConnectRunsAndCountsWhatBroxyAllocates() throws RunnerException {
        RunResult result = run(HandleConnectBenchmark.class).iterator().next();

        assertThat(score(result)).isPositive();
        assertThat(result.getSecondaryResults())
                .hasEntrySatisfying(
                        "broxy.alloc.norm",
                        bytes -> assertThat(bytes.getScore()).isPositive());
    }

    /** With a warm pool the benchmark itself fails if a dial does not find a spare. */
    @Test
    void dialRunsDirectlyAndThroughAProxyWithAndWithoutSpares() throws RunnerException {
        assertThat(run(DialBenchmark.class))
                .hasSize(3)
                .allSatisfy(result -> assertThat(score(result)).isPositive());
    }

    @Test
    void copyingIsExact() throws Exception {
        byte[] bytes = new byte[100_000];
        new Random(1).nextBytes(bytes);
        ArraySource source = new ArraySource(bytes);
        GrowingSink sink = new GrowingSink();

        ByteBuffer buffer = ByteBuffer.allocate(32 << 10);
        while (source.read(buffer.clear()) >= 0) {
            sink.write(buffer.flip());
        }

        assertThat(sink.toByteArray()).isEqualTo(bytes);
    }

    private static double score(RunResult result) {
        return result.getPrimaryResult().getScore();
    }
}
