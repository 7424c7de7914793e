package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * After each test, and after its {@code @AfterEach} methods, there must be no socket or selector that was not there before,
 * and no thread of an engine. Descriptors are checked where the system shows them (Linux); the test must not open any itself
 * that outlive it.
 */
public final class LeakCheck implements BeforeEachCallback, AfterEachCallback {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(10);

    private List<String> before = List.of();

    // The JDK opens a few descriptors at the first use and keeps them.
    static {
        HeldPort.refusing(); // which is kept open, too
        try (Selector selector = Selector.open();
                ServerSocketChannel server = ServerSocketChannel.open().bind(null);
                SocketChannel client = SocketChannel.open(server.getLocalAddress());
                SocketChannel accepted = server.accept();
                ServerSocket plain = new ServerSocket(0)) {
            client.shutdownOutput();
            accepted.configureBlocking(false).register(selector, SelectionKey.OP_READ);
            selector.selectNow();
            try (Socket socket = new Socket(plain.getInetAddress(), plain.getLocalPort())) {
                socket.shutdownOutput();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        before = descriptors();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        await().pollDelay(Duration.ZERO)
                .pollInterval(POLL)
                .atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(engineThreads()).as("threads of engines").isEmpty());
        await().pollDelay(Duration.ZERO)
                .pollInterval(POLL)
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(openedSince(before))
                        .as("sockets and selectors that the test has left")
                        .isEmpty());
    }

    /**
     * What is open now and was not when {@code before} was taken. To be asked instead of comparing counts: what a test before
     * this one has left to the garbage collector, as the JDK's HTTP client leaves its selector, may go at any time.
     */
    public static List<String> openedSince(List<String> before) {
        List<String> opened = descriptors();
        opened.removeAll(Set.copyOf(before));
        return opened;
    }

    /**
     * Sockets that this process has open, and selectors, each as the system names it, behind its number. A selector is known
     * by the descriptor that wakes it: the pollers that a newer JDK starts for virtual threads, and keeps, have none.
     */
    public static List<String> descriptors() {
        List<String> open = new ArrayList<>();
        if (!Files.isDirectory(DESCRIPTORS)) {
            return open;
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : all) {
                String target = target(descriptor);
                if (target.startsWith("socket:") || target.equals("anon_inode:[eventfd]")) {
                    open.add(descriptor.getFileName() + " " + target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return open;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile, as the one is that lists the folder
        }
    }

    /** The threads that engines have started and that still run, by name. */
    public static List<String> engineThreads() {
        TreeMap<String, Thread> threads = new TreeMap<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("broxy-")) {
                threads.put(thread.getName(), thread);
            }
        }
        return List.copyOf(threads.keySet());
    }
}
