package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * How a program of the system ended, which ran to its end. A test that needs a program which is not there is skipped.
 *
 * @param exitCode 0 if all went well
 * @param output what it wrote to both of its streams
 */
public record Program(int exitCode, String output) {
    private static final long LIMIT_SECONDS = 60;

    /** Runs a program that reads nothing. */
    public static Program run(Path folder, String name, String... arguments) throws Exception {
        return talk("", folder, name, arguments);
    }

    /**
     * Runs a program with a standard input that stays open until its end.
     *
     * @param input what it reads
     * @param folder where it runs
     */
    public static Program talk(String input, Path folder, String name, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(Daemon.program(name)));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(folder, "program", ".output");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment()
                .keySet()
                .removeIf(variable -> variable.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        Process process = builder.start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(ISO_8859_1));
            in.flush();
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
                    .as("%s has ended; its output: %s", command, text(output))
                    .isTrue();
            return new Program(process.exitValue(), text(output));
        } finally {
            process.destroyForcibly();
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), ISO_8859_1);
    }
}
