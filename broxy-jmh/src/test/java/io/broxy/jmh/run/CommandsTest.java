package io.broxy.jmh.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.Fixtures;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Specifies the commands of the benchmarks' jar, and the message for each mistake. */
class CommandsTest {
    @TempDir
    private Path directory = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... arguments) {
        return Benchmarks.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    private static String fixture(String name) {
        return Fixtures.path(name).toString();
    }

    @Test
    void compareMarksWhatHasChanged() {
        assertThat(execute("compare", fixture("before.json"), fixture("after.json")))
                .isZero();

        assertThat(out.toString()).contains("| improved |", "| WORSE |", "| within noise |");
    }

    @Test
    void compareTakesTheLeastChangeInPercent() {
        execute("compare", "--least", "50", fixture("before.json"), fixture("after.json"));

        assertThat(out.toString()).contains("0 improved, 0 WORSE");
    }

    @Test
    void compareExplainsItsRule() {
        execute("compare", "--help");

        assertThat(out.toString().replaceAll("\\s+", " "))
                .contains("99.9 % confidence interval")
                .contains("the intervals of both files are disjoint and the values differ by more than --least");
    }

    @Test
    void missingFileIsToldInOneLine() {
        int code = execute(
                "compare",
                fixture("before.json"),
                directory.resolve("none.json").toString());

        assertThat(code).isEqualTo(CommandLine.ExitCode.SOFTWARE);
        assertThat(err.toString())
                .startsWith("broxy-benchmarks: ")
                .contains("none.json")
                .hasLineCount(1);
    }

    @Test
    void wholeProcessesBecomeAReportWithoutTheMatrix() throws IOException {
        assertThat(execute(
                        "whole-process",
                        "--rows",
                        fixture("lab.tsv"),
                        "--tls-rows",
                        fixture("lab.tsv"),
                        "--jdk",
                        "OpenJDK 17",
                        "--jdk",
                        "OpenJDK 25",
                        "--to",
                        directory.toString()))
                .isZero();

        try (Stream<Path> written = Files.list(directory)) {
            assertThat(written.map(file -> file.getFileName().toString()))
                    .allMatch(name -> name.matches("\\d{4}-\\d\\d-\\d\\d-whole-process\\.(md|json|svg)"))
                    .hasSize(3);
        }
        assertThat(page())
                .contains("| JDK | OpenJDK 17; OpenJDK 25 |")
                .contains("| floor | 72.0 | 70.0–84.0 | 0.90 |")
                .contains("## TLS to clients");
    }

    private String page() throws IOException {
        try (Stream<Path> written = Files.list(directory)) {
            return Files.readString(written.filter(file -> file.toString().endsWith(".md"))
                    .findFirst()
                    .orElseThrow());
        }
    }

    @Test
    void wholeProcessNeedsRows() throws IOException {
        assertThat(execute("whole-process")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--rows");

        Path wrong = Files.writeString(directory.resolve("wrong.tsv"), "1\tconnect32\tbroxy\tconnect\n");
        assertThat(execute("whole-process", "--rows", wrong.toString())).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("wrong.tsv: line 1 ");
    }

    @Test
    void rowThatDoesNotExistIsMisuse() {
        assertThat(execute("--only", "Nothing")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("no row's name contains Nothing");
    }

    @Test
    void peerThatDoesNotExistIsMisuse() {
        assertThat(execute("peer", "squid", "0")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("netty-epoll");
    }
}
