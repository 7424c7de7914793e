package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.HostPort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program of the packaged jar, run by the JVM that runs the tests. Nothing is waited for longer than 20 s. */
final class JarProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 20;
    private static final String FIRST_LINE = "listening on ";

    /** A line of what Linux tells of a process: a hexadecimal number with a bit for each signal. */
    private static final String IGNORED_SIGNALS = "SigIgn:";

    private static final long HANG_UP = 1;

    private final Process process;
    private final Lines out;
    private final Lines err;

    private JarProcess(List<String> command) throws IOException {
        process = new ProcessBuilder(command).start();
        out = new Lines(process.getInputStream(), "stdout");
        err = new Lines(process.getErrorStream(), "stderr");
    }

    /** The mini-server, as a user starts it. */
    static JarProcess miniServer(String... options) throws IOException {
        return start(List.of("-jar", jar()), options);
    }

    /** The mini-server, on a JVM that leaves signals to the system. */
    static JarProcess miniServerWithoutSignals(String... options) throws IOException {
        return start(List.of("-Xrs", "-jar", jar()), options);
    }

    /**
     * What runs the mini-server with a listening socket as its standard input, once for each {@link #startNext}, and keeps
     * the socket open.
     *
     * @param where an address, for a free port, or the path of a Unix domain socket
     */
    static JarProcess activatedMiniServer(String where, String... options) throws IOException {
        List<String> words = new ArrayList<>();
        words.addAll(List.of("perl", "src/test/perl/activate.pl", where, java(), "-jar", jar()));
        words.addAll(List.of(options));
        return command(words);
    }

    /** A program of the system, as its command line says. */
    static JarProcess command(List<String> words) throws IOException {
        List<String> command = new ArrayList<>(withHangUp());
        command.addAll(words);
        return new JarProcess(command);
    }

    /** Another program in the jar. */
    static JarProcess program(String name, String... arguments) throws IOException {
        return start(List.of("-cp", jar(), "io.broxy.examples." + name), arguments);
    }

    private static JarProcess start(List<String> what, String... arguments) throws IOException {
        List<String> words = new ArrayList<>();
        words.add(java());
        words.addAll(what);
        words.addAll(List.of(arguments));
        return command(words);
    }

    /** What makes SIGHUP reach a process of these tests even if they ignore it, as everything below {@code nohup} does. */
    private static List<String> withHangUp() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(status)) {
            boolean ignored = lines.filter(line -> line.startsWith(IGNORED_SIGNALS))
                    .anyMatch(line -> (Long.parseUnsignedLong(
                                            line.substring(IGNORED_SIGNALS.length())
                                                    .strip(),
                                            16)
                                    & HANG_UP)
                            != 0);
            return ignored ? List.of("env", "--default-signal=HUP") : List.of();
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static String jar() {
        return System.getProperty("mini.server.jar");
    }

    /** Where it says, in the next line on its standard output, that it listens. */
    HostPort listening() throws InterruptedException {
        return listening("");
    }

    /** The same of a server whose clients speak TLS to it. */
    HostPort listeningWithTls() throws InterruptedException {
        return listening(" with TLS");
    }

    private HostPort listening(String end) throws InterruptedException {
        String line = nextLine().replaceFirst(" over epoll$", ""); // on Java 22 and newer
        assertThat(line).as("the first line").startsWith(FIRST_LINE).endsWith(end);
        return HostPort.parse(line.substring(FIRST_LINE.length(), line.length() - end.length()));
    }

    /** The next line on its standard output. */
    String nextLine() throws InterruptedException {
        String line = out.lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(line)
                .as("a line on standard output; standard error has %s", err.lines)
                .isNotNull();
        return line;
    }

    /** All further lines on its standard output up to its end. */
    List<String> outLines() throws InterruptedException {
        return out.all();
    }

    /** All lines on its standard error up to its end. */
    List<String> errLines() throws InterruptedException {
        return err.all();
    }

    /** Waits for a line with this text on its standard error. */
    void awaitErr(String text) {
        await().alias("\"" + text + "\" on standard error")
                .atMost(Duration.ofSeconds(PATIENCE_SECONDS))
                .untilAsserted(() -> assertThat(List.copyOf(err.lines))
                        .anySatisfy(line -> assertThat(line).contains(text)));
    }

    /** Makes an activated server run once more. */
    void startNext() throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
    }

    /** Sends SIGTERM to the server that has been activated. */
    void terminateActivated() {
        process.children().forEach(ProcessHandle::destroy);
    }

    /** Sends SIGTERM. */
    void terminate() {
        assumeTrue(process.supportsNormalTermination(), "this system has no SIGTERM");
        process.toHandle().destroy(); // Process.destroy() would also close the streams that are still to be read
    }

    /** Sends SIGHUP. */
    void hangUp() throws IOException, InterruptedException {
        signal("HUP");
    }

    /**
     * Sends a signal.
     *
     * @param name without {@code SIG}
     */
    void signal(String name) throws IOException, InterruptedException {
        assumeTrue(process.supportsNormalTermination(), "this system has no signals");
        Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for its end. */
    int exitCode() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .as("its end")
                .isTrue();
        return process.exitValue();
    }

    @Override
    public void close() throws InterruptedException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        exitCode();
        out.all();
        err.all();
    }

    /** The lines of a stream, read by a thread of its own so that the process never waits for us. */
    private static final class Lines {
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        private final Thread reader;

        Lines(InputStream stream, String name) {
            reader = new Thread(() -> read(stream), name);
            reader.setDaemon(true);
            reader.start();
        }

        private void read(InputStream stream) {
            try (BufferedReader text = new BufferedReader(new InputStreamReader(stream, UTF_8))) {
                text.lines().forEach(lines::add);
            } catch (IOException | UncheckedIOException e) {
                lines.add("reading failed: " + e);
            }
        }

        List<String> all() throws InterruptedException {
            reader.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            return List.copyOf(lines);
        }
    }
}
