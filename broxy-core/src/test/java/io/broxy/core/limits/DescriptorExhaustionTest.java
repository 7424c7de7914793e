package io.broxy.core.limits;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.core.Broxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Specifies that a proxy whose process runs out of file descriptors keeps its tunnels, and accepts again once there
 * are some.
 */
@ExtendWith(LeakCheck.class)
@EnabledOnOs({OS.LINUX, OS.MAC})
class DescriptorExhaustionTest {
    private static final int DESCRIPTORS = 128;
    /** More than there are descriptors, and fewer than the kernel queues. */
    private static final int CLIENTS = 200;

    @Test
    void proxyPausesAndAcceptsAgainByItselfWhileItsTunnelsGoOn(@TempDir Path folder) throws Exception {
        CompletableFuture<Peer> broken = new CompletableFuture<>();
        CompletableFuture<Boolean> brokenIsDone = new CompletableFuture<>();
        List<Peer> idle = new ArrayList<>();
        try (Origin echo = Origin.echo();
                Origin breaking = Origin.start(peer -> {
                    broken.complete(peer);
                    brokenIsDone.get(2, TimeUnit.MINUTES);
                });
                Child child = new Child(folder);
                Peer standing = child.connect(echo);
                Peer complete = child.connect(breaking)) {
            try {
                exchange(standing);
                for (int i = 0; i < CLIENTS; i++) {
                    idle.add(Peer.connect(child.port));
                }
                child.awaitLog("accepting connections failed");

                exchange(standing);
                assertSomeoneIsTurnedDown(idle, echo);
                assertThat(child.connections()).isLessThan(CLIENTS);
                assertCompleteStreamStaysComplete(complete, broken.get(1, TimeUnit.MINUTES));

                Peer last = idle.remove(CLIENTS - 1);
                try (last) {
                    for (Peer peer : idle) {
                        peer.close();
                    }
                    last.send(Proxy.connectHead(echo.target()));
                    assertThat(last.readHead()).startsWith("HTTP/1.1 200 ");
                    exchange(last);
                }
                child.awaitLog("accepting connections again");
                exchange(standing);
            } finally {
                brokenIsDone.complete(true);
                for (Peer peer : idle) {
                    peer.close();
                }
            }
        }
    }

    private static void exchange(Peer peer) throws IOException {
        assertThat(peer.send("ping").readText(4)).isEqualTo("ping");
    }

    /** Without a descriptor for its origin; one or another client may get what the JVM had open for a moment. */
    private static void assertSomeoneIsTurnedDown(List<Peer> accepted, Origin target) throws IOException {
        List<String> answers = new ArrayList<>();
        for (Peer client : accepted.subList(0, 10)) {
            answers.add(client.send(Proxy.connectHead(target.target())).readHead());
        }
        assertThat(answers).anyMatch(answer -> answer.startsWith("HTTP/1.1 5"));
    }

    /** What an origin has sent to its end is not cut, though the origin is gone and there is no descriptor left. */
    private static void assertCompleteStreamStaysComplete(Peer client, Peer origin) throws IOException {
        origin.send("complete").shutdownOutput();
        assertThat(client.readText(8)).isEqualTo("complete");
        client.expectEnd();
        origin.reset();
        client.send("into").send(" the ").send("void").shutdownOutput();
        client.expectEnd();
    }

    /** The proxy's process. */
    private static final class Child implements AutoCloseable {
        private final Process process;
        private final Path log;
        private final BufferedReader out;
        final int port;

        Child(Path folder) throws Exception {
            log = folder.resolve("log");
            // class files in folders would each need a descriptor just when there is none
            Path jar = jar(folder, Broxy.class, ExhaustedProxy.class, io.broxy.Dialer.class);
            String classPath = String.join(
                    System.getProperty("path.separator"),
                    jar.toString(),
                    origin(LoggerFactory.class).toString(),
                    origin(org.slf4j.simple.SimpleLogger.class).toString());
            String java =
                    Path.of(System.getProperty("java.home"), "bin", "java").toString();
            process = new ProcessBuilder(
                            "bash",
                            "-c",
                            "ulimit -n " + DESCRIPTORS + "; exec \"$@\"",
                            "bash",
                            java,
                            "-Xmx64m",
                            "-cp",
                            classPath,
                            ExhaustedProxy.class.getName())
                    .redirectError(log.toFile())
                    .start();
            out = process.inputReader(UTF_8);
            String line = out.readLine();
            if (line == null) {
                throw new IOException("the proxy did not start: " + Files.readString(log));
            }
            port = Integer.parseInt(line);
        }

        Peer connect(Origin origin) throws IOException {
            Peer client = Peer.connect(port).send(Proxy.connectHead(origin.target()));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            return client;
        }

        int connections() throws IOException {
            OutputStream in = process.getOutputStream();
            in.write('\n');
            in.flush();
            return Integer.parseInt(out.readLine());
        }

        void awaitLog(String text) {
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> Files.readString(log).contains(text));
        }

        @Override
        public void close() throws Exception {
            process.getOutputStream().close();
            boolean ended = process.waitFor(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            process.destroyForcibly();
            assertThat(ended).as("the process ends with its input").isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(Files.readString(log)).doesNotContain("ERROR");
        }
    }

    private static Path origin(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** One archive of the folders or archives that the classes come from. */
    private static Path jar(Path folder, Class<?>... types) throws Exception {
        Path jar = folder.resolve("proxy.jar");
        Set<String> seen = new LinkedHashSet<>();
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (Class<?> type : types) {
                Path from = origin(type);
                if (Files.isDirectory(from)) {
                    add(from, out, seen);
                } else {
                    try (FileSystem archive = FileSystems.newFileSystem(from)) {
                        add(archive.getPath("/"), out, seen);
                    }
                }
            }
        }
        return jar;
    }

    private static void add(Path root, JarOutputStream out, Set<String> seen) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                if (name.endsWith(".class") && seen.add(name)) {
                    out.putNextEntry(new JarEntry(name));
                    Files.copy(file, out);
                    out.closeEntry();
                }
            }
        }
    }
}
