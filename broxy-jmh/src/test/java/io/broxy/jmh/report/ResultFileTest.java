package io.broxy.jmh.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.jmh.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Specifies how results are written, read back, and refused. */
class ResultFileTest {
    @TempDir
    private Path directory = Path.of("");

    @Test
    void whatIsWrittenIsReadAgain() throws IOException {
        Results results = Fixtures.results("before.json");
        ResultFile file = ResultFile.in(directory.resolve("new"), "2026-11-24", "jdk17", false);

        file.write(results);

        assertThat(file.read()).isEqualTo(results);
    }

    @Test
    void pageAndPictureLieBesideIt() throws IOException {
        ResultFile.in(directory, "2026-11-24", "jdk25", true).write(Fixtures.results("after.json"));

        assertThat(directory.resolve("2026-11-24-jdk25-quick.json")).exists();
        assertThat(directory.resolve("2026-11-24-jdk25-quick.svg")).content().startsWith("<svg ");
        assertThat(directory.resolve("2026-11-24-jdk25-quick.md")).content().contains("(2026-11-24-jdk25-quick.svg)");
    }

    @Test
    void anotherEndingIsRefused() {
        assertThatThrownBy(() -> new ResultFile(Path.of("results.md"))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anotherFileIsNoResultFile() throws IOException {
        Path other = Files.writeString(directory.resolve("other.json"), "{\"rows\": 1}");

        assertThatThrownBy(() -> new ResultFile(other).read()).isInstanceOf(IOException.class);
    }
}
