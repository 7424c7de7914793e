package io.broxy.jmh.run;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.broxy.jmh.BroxyAllocation;
import io.broxy.jmh.peer.Peer;
import io.broxy.jmh.report.Figure;
import io.broxy.jmh.report.Row;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures one case after another and reports each in a line. JMH's own output goes into a log.
 *
 * <p>Threading: for one thread.
 */
final class MatrixRun {
    private final Length length;
    private final PrintWriter progress;
    private final Path log;
    private final List<Row> rows = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    MatrixRun(Length length, PrintWriter progress, Path log) {
        this.length = length;
        this.progress = progress;
        this.log = log;
    }

    /** Measures cases. Unavailable and failed ones become notes. */
    void run(List<Case> cases) throws IOException {
        List<Case> possible = new ArrayList<>();
        for (Case each : cases) {
            Optional<String> reason = unavailable(each);
            reason.ifPresent(why -> note(each, why));
            if (reason.isEmpty()) {
                possible.add(each);
            }
        }
        Files.createDirectories(log.toAbsolutePath().getParent());
        try (PrintStream out = new PrintStream(Files.newOutputStream(log), true, UTF_8)) {
            OutputFormat format = OutputFormatFactory.createFormatInstance(out, VerboseMode.NORMAL);
            long start = System.nanoTime();
            for (int i = 0; i < possible.size(); i++) {
                Case each = possible.get(i);
                progress.printf(Locale.ROOT, "[%2d/%d] %s: ", i + 1, possible.size(), each.title());
                progress.flush();
                measure(each, format);
                long left = (System.nanoTime() - start) / (i + 1) * (possible.size() - i - 1);
                progress.println(i + 1 < possible.size() ? "; " + left(left) : "");
                progress.flush();
            }
        }
    }

    /** The measured rows. */
    List<Row> rows() {
        return rows;
    }

    /** The cases that were not measured, and the reasons. */
    List<String> notes() {
        return notes;
    }

    private static Optional<String> unavailable(Case which) {
        return Peer.labels().contains(which.implementation())
                ? Peer.named(which.implementation()).unavailable()
                : Optional.empty();
    }

    private void note(Case which, String reason) {
        notes.add(which.title() + ": " + reason);
        progress.println(which.title() + " is skipped: " + reason);
    }

    private void measure(Case which, OutputFormat format) {
        try {
            RunResult result = new Runner(
                            length.options(which, ForkOptions.ofThisJava(), BroxyAllocation.class), format)
                    .runSingle();
            Row row = row(which, result);
            rows.add(row);
            progress.printf(
                    Locale.ROOT,
                    "%,.0f ns/op ±%.0f %%, %,.0f B/op",
                    row.nanos().value(),
                    100 * row.nanos().spread(),
                    row.allocated().value());
        } catch (RunnerException e) {
            notes.add(which.title() + ": failed, see JMH's log");
            progress.print("FAILED, see " + log);
        }
    }

    private static Row row(Case which, RunResult result) {
        Result<?> time = result.getPrimaryResult();
        Figure allocated = secondary(result, "gc.alloc.rate.norm");
        if (allocated == null) {
            throw new IllegalStateException("JMH's gc profiler gave no gc.alloc.rate.norm");
        }
        List<Double> samples = new ArrayList<>();
        result.getBenchmarkResults()
                .forEach(fork -> fork.getIterationResults()
                        .forEach(iteration ->
                                samples.add(iteration.getPrimaryResult().getScore())));
        return new Row(
                which.row(),
                which.implementation(),
                which.phase(),
                which.bytesPerOperation(),
                Figure.ofMean(time.getScore(), time.getScoreError()),
                allocated,
                secondary(result, "broxy.alloc.norm"),
                samples);
    }

    private static @Nullable Figure secondary(RunResult result, String label) {
        Result<?> found = result.getSecondaryResults().get(label);
        return found == null ? null : Figure.ofMean(found.getScore(), found.getScoreError());
    }

    private static String left(long nanos) {
        long minutes = TimeUnit.NANOSECONDS.toMinutes(nanos);
        return minutes > 0
                ? "about " + minutes + " min left"
                : "about " + TimeUnit.NANOSECONDS.toSeconds(nanos) + " s left";
    }
}
