package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies the log of the packaged mini-server: JSON, files, and their rotation by SIGUSR1. */
@ExtendWith(LeakCheck.class)
@Timeout(120)
class LogIT {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final Path folder;

    LogIT(@TempDir Path folder) {
        this.folder = folder;
    }

    private static void tunnel(HostPort proxy, Origin origin, String text) throws IOException {
        try (Peer client = Peer.connect(proxy.port()).send(Proxy.connectHead(origin.target()))) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            client.send(text).shutdownOutput();
            assertThat(client.readAll()).isEqualTo(text);
        }
    }

    private static List<JsonNode> objects(List<String> lines) throws IOException {
        List<JsonNode> objects = new ArrayList<>();
        for (String line : lines) {
            objects.add(new ObjectMapper().readTree(line));
        }
        return objects;
    }

    @Test
    void jsonLinesOnStandardErrorHaveTheAccessLogsKeysAsFields() throws Exception {
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer(
                        "--listen=127.0.0.1:0", "--allow-private", "--access-log", "--log-format=json")) {
            tunnel(server.listening(), origin, "12345");
            server.hangUp();
            server.awaitErr("SIGHUP");
            server.terminate();

            assertThat(server.exitCode()).isZero();
            List<JsonNode> objects = objects(server.errLines());
            assertThat(objects).anySatisfy(line -> {
                assertThat(line.path("kind").asText()).isEqualTo("tunnel");
                assertThat(line.path("target").asText())
                        .isEqualTo(origin.target().toString());
                assertThat(line.path("to_origin").intValue()).isEqualTo(5);
                assertThat(line.path("logger").asText()).isEqualTo("io.broxy.access");
            });
            assertThat(objects).anySatisfy(line -> {
                assertThat(line.path("level").asText()).isEqualTo("INFO");
                assertThat(line.path("message").asText()).startsWith("SIGHUP: nothing to reload");
            });
        }
    }

    @Test
    void rotationLosesNoLineOfTheAccessLog() throws Exception {
        Path access = folder.resolve("access.log");
        int rotations = 3;
        int tunnels = 20;
        try (Origin origin = Origin.echo();
                JarProcess server = JarProcess.miniServer(
                        "--listen=127.0.0.1:0",
                        "--allow-private",
                        "--access-log-file=" + access,
                        "--log-file=" + folder.resolve("server.log"))) {
            HostPort proxy = server.listening();
            for (int i = 0; i < rotations; i++) {
                for (int j = 0; j < tunnels; j++) {
                    tunnel(proxy, origin, "x".repeat(i + 1));
                }
                Files.move(access, folder.resolve("access.log." + i));
                server.signal("USR1");
                await().atMost(PATIENCE).until(() -> Files.exists(access));
            }
            server.terminate();
            assertThat(server.exitCode()).isZero();
            assertThat(server.errLines()).isEmpty();
        }
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < rotations; i++) {
            lines.addAll(Files.readAllLines(folder.resolve("access.log." + i)));
        }
        lines.addAll(Files.readAllLines(access));
        assertThat(lines)
                .hasSize(rotations * tunnels)
                .allSatisfy(line -> assertThat(line).contains(" kind=tunnel "));
        assertThat(Files.readAllLines(folder.resolve("server.log")))
                .hasSize(rotations)
                .allSatisfy(line -> assertThat(line).endsWith("SIGUSR1: log files reopened"));
    }

    @Test
    void sigusr1WithoutFilesIsALine() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0")) {
            server.listening();
            server.signal("USR1");
            server.awaitErr("SIGUSR1: nothing to reopen without --log-file or --access-log-file");
            assertThat(server.isAlive()).isTrue();
        }
    }

    @Test
    void aFileThatCannotBeWrittenIsOneLineAndOne() throws Exception {
        try (JarProcess server =
                JarProcess.miniServer("--listen=127.0.0.1:0", "--log-file=" + folder.resolve("none/log"))) {
            assertThat(server.exitCode()).isEqualTo(1);
            assertThat(server.errLines())
                    .containsExactly("broxy-mini-server: cannot write the log file " + folder.resolve("none/log")
                            + " (No such file or directory)");
        }
    }

    @Test
    void aFullDiskDoesNotStopTheProxy() throws Exception {
        Path full = Files.createSymbolicLink(folder.resolve("full"), Path.of("/dev/full"));
        try (Origin origin = Origin.echo();
                JarProcess server =
                        JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--access-log-file=" + full)) {
            HostPort proxy = server.listening();
            tunnel(proxy, origin, "one");
            server.awaitErr("cannot write the log file " + full + ": No space left on device");
            tunnel(proxy, origin, "two");
            server.terminate();
            assertThat(server.exitCode()).isZero();
        }
    }

    @Test
    void anotherFormatIsAMistake() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--log-format=xml")) {
            assertThat(server.exitCode()).isEqualTo(2);
            assertThat(server.errLines())
                    .singleElement()
                    .satisfies(line -> assertThat(line)
                            .contains("--log-format")
                            .contains("xml")
                            .endsWith("is neither text nor json"));
        }
    }
}
