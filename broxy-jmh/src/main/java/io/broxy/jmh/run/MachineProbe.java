package io.broxy.jmh.run;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.management.OperatingSystemMXBean;
import io.broxy.jmh.report.Machine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Determines the properties of this machine. Threading: thread-safe. */
final class MachineProbe {
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
    private static final long GIT_SECONDS = 10;

    private MachineProbe() {}

    static Machine probe() throws IOException, InterruptedException {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        String arch = System.getProperty("os.arch");
        return new Machine(
                model(Files.isReadable(PROCESSORS) ? Files.readAllLines(PROCESSORS) : List.of())
                        .orElse(arch),
                Runtime.getRuntime().availableProcessors(),
                system.getTotalMemorySize() >> 20,
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " " + arch,
                Runtime.version() + ", " + System.getProperty("java.vendor") + ", "
                        + System.getProperty("java.vm.name"),
                commit());
    }

    /** The processor model from the lines of {@code /proc/cpuinfo}; missing on some architectures. */
    static Optional<String> model(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }

    private static String commit() throws InterruptedException {
        Optional<String> commit = git("rev-parse", "--short=12", "HEAD");
        boolean changed = git("status", "--porcelain", "--untracked-files=no")
                .filter(changes -> !changes.isEmpty())
                .isPresent();
        return commit.orElse("unknown") + (changed ? "+changes" : "");
    }

    /** The output of git in the current directory; empty without git or a repository. */
    private static Optional<String> git(String... arguments) throws InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("git").redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.command().addAll(List.of(arguments));
        try {
            Process git = builder.start();
            String said = new String(git.getInputStream().readAllBytes(), UTF_8).strip();
            boolean ended = git.waitFor(GIT_SECONDS, TimeUnit.SECONDS);
            return ended && git.exitValue() == 0 ? Optional.of(said) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
