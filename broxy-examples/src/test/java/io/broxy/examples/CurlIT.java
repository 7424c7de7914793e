package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.sun.net.httpserver.HttpServer;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The real client: curl through the packaged mini-server, to servers that the test runs. */
@ExtendWith(LeakCheck.class)
class CurlIT {
    private static final byte[] PAGE = Payload.bytes(10 << 20, 1);

    private final Path folder;

    CurlIT(@TempDir Path folder) {
        this.folder = folder;
    }

    @BeforeAll
    static void findCurl() throws InterruptedException {
        try {
            new ProcessBuilder("curl", "--version")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            abort("curl is not on this machine: " + e.getMessage());
        }
    }

    @Test
    void tenMebibytesOverHttpsArriveByteForByte() throws Exception {
        HttpServer origin = HttpsOrigin.https(PAGE, folder);
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private")) {
            String url = "https://localhost:" + origin.getAddress().getPort() + "/";
            Curl curl = curl(server, "--cacert", HttpsOrigin.certificate(folder).toString(), url);

            assertThat(curl).isEqualTo(new Curl(0, "200 200"));
            assertThat(Files.readAllBytes(page())).isEqualTo(PAGE);
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void plainHttpOverATunnelArrivesByteForByte() throws Exception {
        HttpServer origin = HttpsOrigin.http(PAGE);
        try (JarProcess server = JarProcess.miniServer("--listen=[::1]:0", "--allow=127.0.0.0/8")) {
            Curl curl = curl(
                    server,
                    "--proxytunnel",
                    "http://127.0.0.1:" + origin.getAddress().getPort() + "/");

            assertThat(curl).isEqualTo(new Curl(0, "200 200"));
            assertThat(Files.readAllBytes(page())).isEqualTo(PAGE);
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void aRefusalIsUnderstood() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0")) {
            Curl curl = curl(server, "https://127.0.0.1:9/");

            assertThat(curl.codes()).isEqualTo("403 000");
            assertThat(curl.exitCode()).isEqualTo(56); // CURLE_RECV_ERROR: "CONNECT tunnel failed"
        }
    }

    /** curl's exit code; the status of the CONNECT and of the request. */
    private record Curl(int exitCode, String codes) {}

    private Curl curl(JarProcess server, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "curl",
                "--disable", // no .curlrc
                "--silent",
                "--max-time",
                "60",
                "--proxy",
                "http://" + server.listening(),
                "--output",
                page().toString(),
                "--write-out",
                "%{http_connect} %{http_code}"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment()
                .keySet()
                .removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        Process process = builder.start();
        String codes = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return new Curl(process.exitValue(), codes);
    }

    private Path page() {
        return folder.resolve("page");
    }
}
