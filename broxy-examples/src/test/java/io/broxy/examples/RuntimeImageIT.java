package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.File;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Specifies the folder that the image's build makes of the packaged jar, by the same script: a Java runtime without a JDK, the
 * archive of classes, and the health check.
 */
@ExtendWith(LeakCheck.class)
@Timeout(240)
class RuntimeImageIT {
    private static final long LIMIT_SECONDS = 200;
    private static final int HEALTHY = 0;
    private static final int FAILED = 1;

    private static Path folder;
    private static Path runtime;

    @BeforeAll
    static void makeRuntime(@TempDir Path shared) throws Exception {
        folder = shared;
        Path home = Path.of(System.getProperty("java.home"));
        assumeTrue(Files.isExecutable(home.resolve("bin/jlink")), "this JVM comes without jlink");
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "bash is not installed");
        runtime = folder.resolve("runtime");
        File log = folder.resolve("log").toFile();
        ProcessBuilder script = new ProcessBuilder(
                        "/bin/bash",
                        "../packaging/runtime.sh",
                        System.getProperty("mini.server.jar"),
                        runtime.toString())
                .redirectErrorStream(true)
                .redirectOutput(log);
        script.environment().put("JAVA_HOME", home.toString());
        Process running = script.start();
        try {
            assertThat(running.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
                    .as("its end")
                    .isTrue();
            assertThat(running.exitValue()).as(Files.readString(log.toPath())).isZero();
        } finally {
            running.descendants().forEach(ProcessHandle::destroyForcibly);
            running.destroyForcibly();
        }
    }

    /** As the Dockerfile's entry point has it. */
    private static JarProcess start(List<String> jvm, String... options) throws IOException {
        List<String> words = new ArrayList<>();
        words.add(runtime.resolve("bin/java").toString());
        words.add("@" + runtime.resolve("java.options"));
        words.addAll(jvm);
        words.addAll(List.of("-jar", runtime.resolve("broxy-mini-server.jar").toString()));
        words.addAll(List.of(options));
        return JarProcess.command(words);
    }

    private static JarProcess checkHealth(HostPort admin) throws IOException {
        return start(List.of(), "--check-health=" + admin);
    }

    @Test
    void theRuntimeServesAndIsHealthyUntilItDrains() throws Exception {
        HostPort admin;
        try (Origin origin = Origin.echo();
                JarProcess server = start(
                        List.of(), "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--allow-private", "--drain=1h")) {
            HostPort proxy = server.listening();
            admin = HostPort.parse(server.nextLine().substring("admin on ".length()));
            try (JarProcess check = checkHealth(admin)) {
                assertThat(check.exitCode()).isEqualTo(HEALTHY);
                assertThat(check.errLines()).isEmpty();
            }
            try (Peer client = Peer.connect(proxy.port()).send(Proxy.connectHead(origin.target()))) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                server.terminate();
                awaitRefusal(proxy);
                try (JarProcess check = checkHealth(admin)) {
                    assertThat(check.exitCode()).isEqualTo(FAILED);
                    assertThat(check.errLines())
                            .containsExactly("broxy-mini-server: " + admin
                                    + " does not serve clients: HTTP/1.1 503 Service Unavailable");
                }
            }
            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).isEmpty();
        }
        try (JarProcess check = checkHealth(admin)) {
            assertThat(check.exitCode()).isEqualTo(FAILED);
            assertThat(check.errLines())
                    .containsExactly("broxy-mini-server: no answer from " + admin + ": Connection refused");
        }
    }

    private static void awaitRefusal(HostPort address) {
        await().until(() -> {
            try {
                Peer.connect(address.port()).close();
                return false;
            } catch (ConnectException e) {
                return true;
            }
        });
    }

    @Test
    void itsClassesComeFromTheArchive() throws Exception {
        Path log = folder.resolve("classes");
        try (JarProcess server = start(List.of("-Xlog:class+load:file=" + log), "--listen=127.0.0.1:0")) {
            server.listening();
            server.terminate();
            assertThat(server.exitCode()).isZero();
        }
        List<String> own = Files.readAllLines(log).stream()
                .filter(line -> line.contains(" io.broxy.") && !line.contains("Lambda"))
                .toList();
        long archived = own.stream()
                .filter(line -> line.contains("source: shared objects file"))
                .count();
        assertThat(own).hasSizeGreaterThan(100);
        assertThat((double) archived / own.size()).isGreaterThan(0.9);
    }

    @Test
    void tlsHasTheCurvesThatClientsWant() throws Exception {
        try (JarProcess modules =
                JarProcess.command(List.of(runtime.resolve("bin/java").toString(), "--list-modules"))) {
            assertThat(modules.exitCode()).isZero();
            assertThat(modules.outLines())
                    .map(line -> line.replaceFirst("@.*", ""))
                    .contains(
                            "java.base",
                            "jdk.httpserver",
                            "jdk.jfr",
                            "jdk.unsupported",
                            "jdk.crypto.ec",
                            "java.security.jgss");
        }
    }
}
