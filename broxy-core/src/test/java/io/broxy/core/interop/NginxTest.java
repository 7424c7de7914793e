package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies plain HTTP through the proxy to nginx, which runs for as long as this class; without it the tests are
 * skipped. Descriptors are not counted here: the JDK's client keeps its selector until it is collected.
 */
class NginxTest {
    private static final byte[] PAGE = Payload.bytes(10 << 20, 5);

    private static Path folder;
    private static Daemon nginx;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private Proxy proxy;
    private HttpClient client;

    @BeforeAll
    static void startNginx(@TempDir Path made) throws Exception {
        folder = made;
        String program = Daemon.program("nginx");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx")); // it may be another user
        Files.write(Files.createDirectory(folder.resolve("files")).resolve("page"), PAGE);
        Path uploads = Files.createDirectory(folder.resolve("uploads"));
        Files.setPosixFilePermissions(uploads, PosixFilePermissions.fromString("rwxrwxrwx"));
        nginx = Daemon.start(folder.resolve("log"), port -> {
            Path config = Files.writeString(folder.resolve("nginx.conf"), configuration(port));
            return List.of(program, "-p", folder.toString(), "-e", "stderr", "-c", config.toString());
        });
    }

    private static String configuration(int port) {
        return """
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
                    client_max_body_size 1g;
                    server {
                        listen 127.0.0.1:%d;
                        root .;
                        location /files/ { }
                        location /packed/ { alias files/; gzip on; gzip_types *; gzip_proxied any; }
                        location /closing/ { alias files/; keepalive_timeout 0; }
                        location /uploads/ { dav_methods PUT DELETE; }
                        location /moved { return 301 /files/page; }
                        location /told { return 200 "$http_host $http_via $http_proxy_connection$connection_requests"; }
                    }
                }
                """.formatted(port);
    }

    @AfterAll
    static void stopNginx() {
        if (nginx != null) {
            nginx.close();
        }
    }

    @BeforeEach
    void start() throws IOException {
        proxy = Proxy.start(settings -> settings.viaPseudonym("here"));
        client = HttpClient.newBuilder()
                .proxy(ProxySelector.of(proxy.address()))
                .executor(threads)
                .build();
    }

    @AfterEach
    void stop() {
        proxy.close();
        threads.shutdownNow();
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://" + nginx.target() + path))
                .timeout(Duration.ofMillis(Peer.PATIENCE_MILLIS));
    }

    private HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static String digest(byte[] bytes) throws IOException {
        return Payload.read(new ByteArrayInputStream(bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/files/page", "/closing/page"})
    void tenMebibytesComeByteForByteTwice(String path) throws Exception {
        for (int i = 0; i < 2; i++) {
            HttpResponse<byte[]> response = send(request(path));

            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(digest(response.body())).isEqualTo(digest(PAGE));
        }
    }

    @Test
    void whatItPacksOnTheFlyComesInChunks() throws Exception {
        HttpResponse<byte[]> response = send(request("/packed/page").header("Accept-Encoding", "gzip"));

        assertThat(response.headers().firstValue("Transfer-Encoding")).hasValue("chunked");
        assertThat(response.headers().firstValue("Content-Encoding")).hasValue("gzip");
        try (GZIPInputStream unpacked = new GZIPInputStream(new ByteArrayInputStream(response.body()))) {
            assertThat(Payload.read(unpacked)).isEqualTo(digest(PAGE));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"length", "chunks", "length after 100", "chunks after 100"})
    void tenMebibytesArePutByteForByteAndDeleted(String how) throws Exception {
        HttpRequest.BodyPublisher body = how.startsWith("chunks")
                ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(PAGE))
                : BodyPublishers.ofByteArray(PAGE);

        HttpResponse<byte[]> put = send(request("/uploads/put").PUT(body).expectContinue(how.endsWith("100")));

        assertThat(put.statusCode()).isEqualTo(201);
        assertThat(digest(Files.readAllBytes(folder.resolve("uploads/put")))).isEqualTo(digest(PAGE));
        assertThat(send(request("/uploads/put").DELETE()).statusCode()).isEqualTo(204);
        assertThat(send(request("/uploads/put")).statusCode()).isEqualTo(404);
    }

    @Test
    void partsAndValidatorsAndHeadsAreAsWithoutAProxy() throws Exception {
        HttpResponse<byte[]> part = send(request("/files/page").header("Range", "bytes=1000-1099"));
        assertThat(part.statusCode()).isEqualTo(206);
        assertThat(part.body()).hasSize(100).startsWith(PAGE[1_000], PAGE[1_001]);

        String tag = part.headers().firstValue("ETag").orElseThrow();
        HttpResponse<byte[]> known = send(request("/files/page").header("If-None-Match", tag));
        assertThat(known.statusCode()).isEqualTo(304);
        assertThat(known.body()).isEmpty();

        HttpResponse<byte[]> head = send(request("/files/page").method("HEAD", BodyPublishers.noBody()));
        assertThat(head.headers().firstValueAsLong("Content-Length")).hasValue(PAGE.length);

        HttpResponse<byte[]> moved = send(request("/moved"));
        assertThat(moved.statusCode()).isEqualTo(301);
        assertThat(moved.headers().firstValue("Location"))
                .hasValueSatisfying(to -> assertThat(to).endsWith("/files/page"));
        assertThat(send(request("/none")).statusCode()).isEqualTo(404);
    }

    @Test
    void itIsAskedOverOneConnectionInItsOwnName() throws Exception {
        for (int i = 1; i <= 3; i++) {
            assertThat(send(request("/told")).body()).asString().isEqualTo(nginx.target() + " 1.1 here " + i);
        }
    }

    /** Without asking for 100 first: nginx answers from the head alone, and the rest is not read by anybody. */
    @Test
    void aRequestThatIsAnsweredBeforeItIsSentGetsThatAnswer() throws Exception {
        try (Peer peer = proxy.client()) {
            peer.send("POST http://" + nginx.target() + "/files/page HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 10\r\n\r\n");

            assertThat(peer.readHead()).startsWith("HTTP/1.1 405 Not Allowed\r\n");
        }
    }
}
