package io.broxy.jmh.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.DialDirectBenchmark;
import io.broxy.jmh.HandleConnectDirectBenchmark;
import io.broxy.jmh.HandleHttpDirectBenchmark;
import io.broxy.jmh.report.Figure;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.options.TimeValue;

/** Specifies what a run of the matrix measures. The cases run in this JVM: a fork would need a jar. */
class MatrixRunTest {
    private static final Length SHORTEST = new Length(0, 0, TimeValue.NONE, 2, TimeValue.milliseconds(100));

    @TempDir
    private Path directory = Path.of("");

    private final StringWriter progress = new StringWriter();

    private MatrixRun run(Case... cases) throws IOException {
        MatrixRun run = new MatrixRun(SHORTEST, new PrintWriter(progress), directory.resolve("logs/jmh.log"));
        run.run(List.of(cases));
        return run;
    }

    private static Case proxied(String row, String implementation, Class<?> benchmark) {
        return new Case(row, implementation, "", benchmark, Map.of("implementation", implementation), 30_720);
    }

    @Test
    void timeAllocationAndSamplesAreTaken() throws IOException {
        MatrixRun run = run(proxied("HandleConnect_Direct", "broxy", HandleConnectDirectBenchmark.class));

        assertThat(run.notes()).isEmpty();
        assertThat(run.rows()).singleElement().satisfies(row -> {
            assertThat(row.nanos().value()).isPositive();
            assertThat(row.allocated().value()).isPositive();
            assertThat(row.broxyAllocated())
                    .isNotNull()
                    .extracting(Figure::value)
                    .satisfies(bytes -> assertThat(bytes).isPositive());
            assertThat(row.samples()).hasSize(2);
        });
        assertThat(progress.toString())
                .startsWith("[ 1/1] HandleConnect_Direct, broxy: ")
                .contains(" ns/op ±");
        assertThat(directory.resolve("logs/jmh.log")).isNotEmptyFile();
    }

    /** The blocking proxy answers plain HTTP with 501, so its figure would be that of a refusal. */
    @Test
    void failureIsToldAndTheNextCaseIsMeasured() throws IOException {
        MatrixRun run = run(
                proxied("HandleHTTP_Direct", "blocking", HandleHttpDirectBenchmark.class),
                proxied("Dial_Direct", "jdk", DialDirectBenchmark.class));

        assertThat(run.notes()).containsExactly("HandleHTTP_Direct, blocking: failed, see JMH's log");
        assertThat(run.rows())
                .singleElement()
                .satisfies(row -> assertThat(row.name()).isEqualTo("Dial_Direct"));
        assertThat(progress.toString()).contains("FAILED, see ");
        assertThat(directory.resolve("logs/jmh.log")).content().contains("the proxy answered HTTP/1.1 501");
    }
}
