package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import io.broxy.HostPort;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program of the system that serves on a port of the loopback while a test runs: started in the foreground, known by its
 * process, and stopped with all of its children. A test that needs a program which is not there is skipped.
 *
 * <p>Threading: for one thread.
 */
public final class Daemon implements AutoCloseable {
    private static final long POLL_MILLIS = 20;
    private static final List<String> MORE_FOLDERS = List.of("/usr/local/sbin", "/usr/sbin", "/sbin");

    private final Process process;
    private final int port;

    /** Writes what the program reads, and gives the command that starts it. */
    @FunctionalInterface
    public interface Command {
        List<String> prepare(int port) throws IOException;
    }

    private Daemon(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Where a program is, by its name or its absolute path; the test is skipped if it is nowhere. */
    public static String program(String name) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.concat(Stream.of(path.split(File.pathSeparator)), MORE_FOLDERS.stream())
                .map(folder -> Path.of(folder).resolve(name))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElseGet(() -> abort(name + " is not installed"));
    }

    /**
     * Starts a program, and returns when it accepts connections.
     *
     * @param log where what it prints goes
     * @param command makes the command line from the port to listen on
     */
    public static Daemon start(Path log, Command command) throws IOException, InterruptedException {
        return start(log, TimeUnit.MILLISECONDS.toSeconds(Peer.PATIENCE_MILLIS), command);
    }

    /** As {@link #start(Path, Command)}, for programs that take longer until they accept connections. */
    public static Daemon start(Path log, long seconds, Command command) throws IOException, InterruptedException {
        try (HeldPort held = HeldPort.open()) { // until the program has it, lest another process takes it
            Process process = new ProcessBuilder(command.prepare(held.port()))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                    .start();
            Daemon daemon = new Daemon(process, held.port());
            if (!daemon.isReady(seconds)) {
                boolean ended = !process.isAlive();
                daemon.close();
                fail("%s %s: %s", process.info(), ended ? "ends" : "does not listen", printed(log));
            }
            return daemon;
        }
    }

    private static String printed(Path log) throws IOException {
        return new String(Files.readAllBytes(log), UTF_8);
    }

    private boolean isReady(long seconds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() - end < 0 && !process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), Peer.PATIENCE_MILLIS);
                return process.isAlive();
            } catch (IOException e) {
                // not yet
            }
        }
        return false;
    }

    /** Where to dial it. */
    public HostPort target() {
        return HostPort.of("127.0.0.1", port);
    }

    @Override
    public void close() {
        end(process);
    }

    /** Ends a process and its children, by force if it takes too long. */
    public static void end(Process process) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        process.destroy();
        try {
            process.waitFor(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        all.forEach(ProcessHandle::destroyForcibly);
    }
}
