package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands that prepare a server. Threading: stateless. */
final class Commands {
    private static final long LIMIT_SECONDS = 60;

    private Commands() {}

    /** Runs a command to its end, which must be a good one. */
    static void run(Path folder, List<String> command) throws Exception {
        Path output = folder.resolve("prepared");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .redirectInput(new File("/dev/null"))
                .start();
        try {
            boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            String printed = new String(Files.readAllBytes(output), UTF_8);
            assertThat(ended).as("%s has ended: %s", command, printed).isTrue();
            assertThat(process.exitValue()).as("%s: %s", command, printed).isZero();
        } finally {
            process.destroyForcibly();
        }
    }
}
