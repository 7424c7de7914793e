package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Specifies that curl works through the packaged mini-server, to servers that the test runs. */
@ExtendWith(LeakCheck.class)
class CurlIT {
    private static final byte[] PAGE = Payload.bytes(10 << 20, 1);

    private final Path folder;
    private final Curl curl;

    CurlIT(@TempDir Path folder) throws InterruptedException {
        this.folder = folder;
        this.curl = Curl.in(folder);
    }

    @Test
    void tenMebibytesOverHttpsArriveByteForByte() throws Exception {
        HttpServer origin = HttpsOrigin.https(PAGE, folder);
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private")) {
            String url = "https://localhost:" + origin.getAddress().getPort() + "/";
            Curl.End end = curl.get(
                    server.listening(),
                    "--cacert",
                    HttpsOrigin.certificate(folder).toString(),
                    url);

            assertThat(end).isEqualTo(new Curl.End(0, "200 200"));
            assertThat(Files.readAllBytes(curl.page())).isEqualTo(PAGE);
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void soDoTheyOverSocks() throws Exception {
        HttpServer origin = HttpsOrigin.https(PAGE, folder);
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--socks")) {
            HostPort proxy = server.listening();
            Curl.End end = curl.get(
                    proxy,
                    "--socks5-hostname", // in place of the HTTP proxy
                    proxy.toString(),
                    "--cacert",
                    HttpsOrigin.certificate(folder).toString(),
                    "https://localhost:" + origin.getAddress().getPort() + "/");

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(Files.readAllBytes(curl.page())).isEqualTo(PAGE);
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void plainHttpOverATunnelArrivesByteForByte() throws Exception {
        HttpServer origin = HttpsOrigin.http(PAGE);
        try (JarProcess server = JarProcess.miniServer("--listen=[::1]:0", "--allow=127.0.0.0/8")) {
            Curl.End end = curl.get(
                    server.listening(),
                    "--proxytunnel",
                    "http://127.0.0.1:" + origin.getAddress().getPort() + "/");

            assertThat(end).isEqualTo(new Curl.End(0, "200 200"));
            assertThat(Files.readAllBytes(curl.page())).isEqualTo(PAGE);
        } finally {
            origin.stop(0);
        }
    }

    @Test
    void aRefusalIsUnderstood() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0")) {
            Curl.End end = curl.get(server.listening(), "https://127.0.0.1:9/");

            assertThat(end.codes()).isEqualTo("403 000");
            assertThat(end.exitCode()).isEqualTo(56); // CURLE_RECV_ERROR: "CONNECT tunnel failed"
        }
    }
}
