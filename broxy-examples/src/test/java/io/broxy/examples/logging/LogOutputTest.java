package io.broxy.examples.logging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.core.testkit.Background;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.event.Level;

/** Specifies where the lines of the log go: levels, files, their rotation, and files that cannot be written. */
@Timeout(60)
class LogOutputTest {
    private static final Path FULL = Path.of("/dev/full");

    private final Path folder;

    LogOutputTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private static LogSettings files(@Nullable Path file, @Nullable Path accessFile) {
        return new LogSettings(LogFormat.TEXT, false, true, file, accessFile);
    }

    private static LogEvent event(String logger, String message) {
        return LogEvent.now(Level.WARN, logger, message, null);
    }

    private static List<String> messages(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(line -> line.replaceFirst("^.* - ", ""))
                .toList();
    }

    private static String standardErrorOf(Runnable action) {
        PrintStream usual = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setErr(new PrintStream(bytes, true, UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(usual);
        }
        return bytes.toString(UTF_8);
    }

    // ------------------------------------------------------------------ levels

    @Test
    void levelsFollowTheOptions() throws Exception {
        Loggers loggers = new Loggers();
        LineLogger program = loggers.getLogger("io.broxy.examples.RunningServer");
        LineLogger library = loggers.getLogger("io.broxy.core.Broxy");
        LineLogger access = loggers.getLogger("io.broxy.access");
        LineLogger other = loggers.getLogger("org.example.Other");

        assertThat(program.isInfoEnabled()).isTrue();
        assertThat(program.isDebugEnabled()).isFalse();
        assertThat(List.of(library, access, other))
                .noneMatch(LineLogger::isInfoEnabled)
                .allMatch(LineLogger::isWarnEnabled);

        loggers.configure(new LogSettings(LogFormat.TEXT, false, true, null, null));
        assertThat(access.isInfoEnabled()).isTrue();
        assertThat(library.isInfoEnabled()).isFalse();

        loggers.configure(new LogSettings(LogFormat.TEXT, true, false, null, null));
        assertThat(List.of(program, library)).allMatch(LineLogger::isDebugEnabled);
        assertThat(access.isInfoEnabled()).isTrue();
        assertThat(other.isInfoEnabled()).isFalse();
        assertThat(loggers.getLogger("io.broxy.core.Later").isDebugEnabled()).isTrue();
    }

    @Test
    void placeholdersAreFilledAndALastThrowableIsTheCause() throws Exception {
        Path file = folder.resolve("log");
        Loggers loggers = new Loggers();
        try (LogOutput output = loggers.configure(files(file, null))) {
            loggers.getLogger("x").warn("{} of {}", 1, 2, new IOException("cause"));
            loggers.getLogger("x").debug("not this");
            assertThat(output.hasFiles()).isTrue();
        }
        assertThat(messages(file)).startsWith("1 of 2", "java.io.IOException: cause");
    }

    // ------------------------------------------------------------------ files

    @Test
    void theAccessLogHasItsOwnFile() throws Exception {
        Path log = folder.resolve("log");
        Path access = folder.resolve("access");
        try (LogOutput output = LogOutput.open(files(log, access))) {
            output.write(event("io.broxy.access", "kind=refused"));
            output.write(event("io.broxy.core.Broxy", "a warning"));
        }
        assertThat(messages(log)).containsExactly("a warning");
        assertThat(Files.readAllLines(access))
                .singleElement()
                .satisfies(line ->
                        assertThat(line).matches("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+(Z|[+-]\\d\\d:\\d\\d) kind=refused"));
    }

    @Test
    void bothMayBeTheSameFileAndWhatIsThereStays() throws Exception {
        Path file = Files.writeString(folder.resolve("log"), "before\n");
        try (LogOutput output = LogOutput.open(files(file, file))) {
            for (int i = 0; i < 3; i++) {
                output.write(event("io.broxy.access", "kind=refused"));
                output.write(event("x", "a warning"));
            }
        }
        assertThat(Files.readAllLines(file)).hasSize(7).startsWith("before");
    }

    @Test
    void rotationUnderLoadLosesNoLine() throws Exception {
        Path file = folder.resolve("log");
        int lines = 20_000;
        try (LogOutput output = LogOutput.open(files(file, null))) {
            CompletableFuture<?> first = Background.run(() -> writeAll(output, "a", lines));
            CompletableFuture<?> second = Background.run(() -> writeAll(output, "b", lines));
            int rotations = 0;
            while (!(first.isDone() && second.isDone()) || rotations == 0) {
                Files.move(file, folder.resolve("log." + rotations++));
                output.reopen();
            }
            first.get();
            second.get();
        }
        List<String> all = new ArrayList<>();
        try (var logs = Files.list(folder)) {
            for (Path each : logs.toList()) {
                all.addAll(messages(each));
            }
        }
        assertThat(all).hasSize(2 * lines).doesNotHaveDuplicates();
    }

    private static void writeAll(LogOutput output, String prefix, int lines) {
        for (int i = 0; i < lines; i++) {
            output.write(event("x", prefix + i));
        }
    }

    @Test
    void aFileThatCannotBeReopenedIsWrittenOn() throws Exception {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        Path file = inner.resolve("log");
        Path moved = folder.resolve("moved");
        try (LogOutput output = LogOutput.open(files(file, null))) {
            Files.move(file, moved);
            Files.delete(inner);
            assertThatThrownBy(output::reopen)
                    .isInstanceOf(IOException.class)
                    .hasMessage("cannot write the log file " + file + " (No such file or directory)");
            output.write(event("x", "still here"));
        }
        assertThat(messages(moved)).containsExactly("still here");
    }

    @Test
    void aFolderIsNoFile() {
        assertThatThrownBy(() -> LogOutput.open(files(null, folder)))
                .isInstanceOf(IOException.class)
                .hasMessage("cannot write the log file " + folder + " (Is a directory)");
    }

    // ------------------------------------------------------------------ a full disk

    @Test
    void aFullDiskIsReportedOnceAndLosesLinesOnly() throws Exception {
        assumeTrue(Files.exists(FULL), "this system has no /dev/full");
        Path link = Files.createSymbolicLink(folder.resolve("log"), FULL);
        Path there = folder.resolve("there");
        try (LogOutput output = LogOutput.open(files(link, null))) {
            String complaints = standardErrorOf(() -> writeAll(output, "lost", 100));
            assertThat(complaints.lines())
                    .singleElement()
                    .satisfies(line -> assertThat(line)
                            .startsWith("cannot write the log file " + link + ": No space left on device"));

            Files.delete(link);
            Files.createSymbolicLink(link, Files.createFile(there));
            output.reopen();
            assertThat(standardErrorOf(() -> output.write(event("x", "written"))))
                    .isEqualTo("the log file " + link + " is written again; lost lines: 100\n");
        }
        assertThat(Files.readAllLines(there)).hasSize(2).first().isEqualTo("");
        assertThat(messages(there)).last().isEqualTo("written");
    }
}
