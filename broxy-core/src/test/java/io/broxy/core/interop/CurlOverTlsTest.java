package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Authenticator;
import io.broxy.ServerTls;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Program;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that curl works with a proxy that speaks TLS. Skipped where curl, or a server that it asks, is missing. */
@ExtendWith(LeakCheck.class)
class CurlOverTlsTest {
    private static final byte[] PAGE = Payload.bytes(3 << 20, 6);

    private final Path folder;
    private final Path page;

    CurlOverTlsTest(@TempDir Path folder) {
        this.folder = folder;
        this.page = folder.resolve("page");
    }

    @BeforeEach
    void writeCertificate() throws IOException {
        Certificates.loopback().writePem(folder.resolve("trusted.pem"), folder.resolve("trusted-key.pem"));
    }

    /** Gets a page: the status of the CONNECT, that of the page, and the version of HTTP. */
    private String curl(TlsProxy proxy, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "--disable", // no .curlrc
                "--silent",
                "--proxy",
                "https://localhost:" + proxy.port(),
                "--proxy-cacert",
                "trusted.pem",
                "--output",
                page.toString(),
                "--write-out",
                "%{http_connect} %{http_code} %{http_version} %{exitcode}"));
        command.addAll(List.of(arguments));
        return Program.run(folder, "curl", command.toArray(String[]::new)).output();
    }

    private String digest() throws IOException {
        return Payload.read(new ByteArrayInputStream(Files.readAllBytes(page)));
    }

    private static String digest(byte[] bytes) throws IOException {
        return Payload.read(new ByteArrayInputStream(bytes));
    }

    // ------------------------------------------------------------------ plain HTTP

    @Test
    void plainHttpIsForwarded() throws Exception {
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(curl(proxy, origin.url("/bytes/" + PAGE.length + "/6"))).isEqualTo("000 200 1.1 0");
            assertThat(digest()).isEqualTo(digest(PAGE));
        }
    }

    @Test
    void twoRequestsTakeOneConnection() throws Exception {
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            String url = origin.url("/bytes/1000/1");

            assertThat(curl(proxy, "--write-out", "%{http_code} %{num_connects} ", url, "--output", "second", url))
                    .isEqualTo("200 1 200 0 ");
            assertThat(proxy.stats().totalConnections()).isEqualTo(1);
        }
    }

    @Test
    void anUploadIsForwarded() throws Exception {
        Path file = Files.write(folder.resolve("file"), PAGE);
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            assertThat(curl(proxy, "--data-binary", "@" + file, origin.url("/digest")))
                    .isEqualTo("000 200 1.1 0");
            assertThat(page).hasContent(digest(PAGE));
        }
    }

    // ------------------------------------------------------------------ CONNECT

    /** Serves TLS with HTTP/2. */
    private Daemon nginx() throws Exception {
        String program = Daemon.program("nginx");
        Files.write(Files.createDirectory(folder.resolve("files")).resolve("page"), PAGE);
        return Daemon.start(folder.resolve("log"), port -> {
            Path config = Files.writeString(folder.resolve("nginx.conf"), """
                    daemon off;
                    master_process off;
                    pid nginx.pid;
                    error_log stderr;
                    events {}
                    http {
                        access_log off;
                        client_body_temp_path temp_body;
                        proxy_temp_path temp_proxy;
                        fastcgi_temp_path temp_fastcgi;
                        uwsgi_temp_path temp_uwsgi;
                        scgi_temp_path temp_scgi;
                        server {
                            listen 127.0.0.1:%d ssl http2;
                            ssl_certificate trusted.pem;
                            ssl_certificate_key trusted-key.pem;
                            root files;
                        }
                    }
                    """.formatted(port));
            return List.of(program, "-p", folder.toString(), "-e", "stderr", "-c", config.toString());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "1.1"})
    void httpsIsTunneledWithEitherVersionOfHttpInside(String version) throws Exception {
        try (Daemon origin = nginx();
                TlsProxy proxy = TlsProxy.start(settings -> {})) {
            String url = "https://localhost:" + origin.target().port() + "/page";

            assertThat(curl(proxy, "--http" + version, "--cacert", "trusted.pem", url))
                    .isEqualTo("200 200 " + version + " 0");
            assertThat(digest()).isEqualTo(digest(PAGE));
            assertThat(proxy.stats().establishedTunnels()).isEqualTo(1);
        }
    }

    // ------------------------------------------------------------------ certificates

    @Test
    void aCertificateIsTheClientsIdentity() throws Exception {
        Certificates own = Certificates.make(folder.resolve("client.p12"));
        own.writePem(folder.resolve("client.pem"), folder.resolve("client-key.pem"));
        SSLParameters parameters = new SSLParameters();
        parameters.setNeedClientAuth(true);
        ServerTls tls = ServerTls.builder(Certificates.loopback().serverFor(own))
                .parameters(parameters)
                .identity(session -> "from the certificate")
                .build();
        Queue<String> identities = new ConcurrentLinkedQueue<>();
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(
                        tls,
                        settings -> settings.authenticator(Authenticator.basic("test", (user, password) -> false))
                                .accessPolicy(request -> identities.add(String.valueOf(request.identity()))))) {
            String url = origin.url("/bytes/10/1");

            assertThat(curl(proxy, "--proxy-cert", "client.pem", "--proxy-key", "client-key.pem", url))
                    .isEqualTo("000 200 1.1 0");
            assertThat(identities).containsExactly("from the certificate");
            assertThat(curl(proxy, url)).startsWith("000 000 ").doesNotEndWith(" 0");
            assertThat(origin.asked()).hasSize(1);
        }
    }

    @Test
    void aProxyThatCurlDoesNotTrustGetsNoRequest() throws Exception {
        Certificates other = Certificates.make(folder.resolve("other.p12"));
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(ServerTls.of(other.server()), settings -> {})) {
            assertThat(curl(proxy, origin.url("/bytes/10/1")))
                    .isEqualTo("000 000 0 60"); // CURLE_PEER_FAILED_VERIFICATION
            assertThat(origin.asked()).isEmpty();
        }
    }
}
