package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.SocksServer;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies plain HTTP from curl through the packaged mini-server, to servers that the test runs. */
@ExtendWith(LeakCheck.class)
class PlainHttpIT {
    private static final byte[] PAGE = Payload.bytes(10 << 20, 1);

    private final Path folder;
    private final Curl curl;

    PlainHttpIT(@TempDir Path folder) throws InterruptedException {
        this.folder = folder;
        this.curl = Curl.in(folder);
    }

    private static JarProcess miniServer(String... options) throws IOException {
        List<String> all = new ArrayList<>(List.of("--listen=127.0.0.1:0", "--allow-private", "--via=mini"));
        all.addAll(List.of(options));
        return JarProcess.miniServer(all.toArray(String[]::new));
    }

    private static String digest(byte[] bytes) throws IOException {
        return Payload.read(new ByteArrayInputStream(bytes));
    }

    private byte[] page() throws IOException {
        return Files.readAllBytes(curl.page());
    }

    // ------------------------------------------------------------------ as curl does it

    @ParameterizedTest
    @ValueSource(strings = {"/bytes/", "/chunks/"})
    void tenMebibytesComeDownByteForByte(String kind) throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer()) {
            Curl.End end = curl.get(server.listening(), origin.url(kind + PAGE.length + "/1"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(page()).hasSize(PAGE.length);
            assertThat(origin.asked()).singleElement().satisfies(asked -> {
                assertThat(asked.fields().get("Via")).containsExactly("1.1 mini");
                assertThat(asked.fields()).doesNotContainKey("Proxy-connection");
            });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Nothing: 1", "Transfer-Encoding: chunked", "Expect:"})
    void tenMebibytesGoUpByteForByte(String field) throws Exception {
        Path file = Files.write(folder.resolve("file"), PAGE);
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer()) {
            Curl.End end =
                    curl.get(server.listening(), "--header", field, "--data-binary", "@" + file, origin.url("/digest"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(page()).asString().isEqualTo(digest(PAGE));
            assertThat(origin.asked()).singleElement().satisfies(asked -> {
                boolean chunked = field.startsWith("Transfer");
                assertThat(asked.method()).isEqualTo("POST");
                assertThat(asked.fields().containsKey("Content-Length")).isNotEqualTo(chunked);
                assertThat(asked.fields().containsKey("Transfer-encoding")).isEqualTo(chunked);
                assertThat(asked.fields().containsKey("Expect")).isNotEqualTo(field.equals("Expect:"));
            });
        }
    }

    @Test
    void fieldsOfRequestsAreChanged() throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess server =
                        miniServer("--add-header=X-Gate: 7", "--remove-header=User-Agent", "--forwarded=replace")) {
            String forged = "X-Forwarded-For: 192.0.2.1";
            Curl.End end = curl.get(server.listening(), "--header", forged, origin.url("/bytes/10/1"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(origin.asked()).singleElement().satisfies(asked -> {
                assertThat(asked.fields().get("X-Gate")).containsExactly("7");
                assertThat(asked.fields().get("X-Forwarded-For")).containsExactly("127.0.0.1");
                assertThat(asked.fields().get("Forwarded")).containsExactly("for=127.0.0.1");
                assertThat(asked.fields()).doesNotContainKey("User-agent");
            });
        }
    }

    @Test
    void aHeadIsAnsweredAtOnce() throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer()) {
            Curl.End end = curl.get(server.listening(), "--head", origin.url("/bytes/5000/1"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(page())
                    .asString()
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .containsIgnoringCase("Content-Length: 5000\r\n")
                    .contains("Via: 1.1 mini\r\n");
        }
    }

    @Test
    void twoPagesOfOneRunComeOverOneConnection() throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer()) {
            Path second = folder.resolve("second");
            Curl.End end = curl.get(
                    server.listening(),
                    "--write-out",
                    "%{http_code} %{num_connects} ",
                    origin.url("/bytes/1000/1"),
                    "--output",
                    second.toString(),
                    origin.url("/chunks/2000/2"));

            assertThat(end).isEqualTo(new Curl.End(0, "200 1 200 0 "));
            assertThat(page()).hasSize(1_000);
            assertThat(second).hasSize(2_000);
            assertThat(origin.connections()).isEqualTo(1);
        }
    }

    @Test
    void bothSchemesAreServedAlike() throws Exception {
        HttpServer http = HttpsOrigin.http("plain".getBytes(UTF_8));
        HttpServer https = HttpsOrigin.https("sealed".getBytes(UTF_8), folder);
        try (JarProcess server = miniServer()) {
            Path sealed = folder.resolve("sealed");
            Curl.End end = curl.get(
                    server.listening(),
                    "--cacert",
                    HttpsOrigin.certificate(folder).toString(),
                    "--write-out",
                    "%{http_code} ",
                    "http://localhost:" + http.getAddress().getPort() + "/",
                    "--output",
                    sealed.toString(),
                    "https://localhost:" + https.getAddress().getPort() + "/");

            assertThat(end).isEqualTo(new Curl.End(0, "200 200 "));
            assertThat(page()).asString().isEqualTo("plain");
            assertThat(sealed).hasContent("sealed");
        } finally {
            http.stop(0);
            https.stop(0);
        }
    }

    @Test
    void aRefusalIsAPage() throws Exception {
        try (JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0")) {
            assertThat(curl.get(server.listening(), "http://127.0.0.1:9/")).isEqualTo(new Curl.End(0, "000 403"));
            assertThat(page()).asString().isEqualTo("403 the target's address is not allowed\n");
        }
    }

    // ------------------------------------------------------------------ through another proxy

    @Test
    void anHttpUpstreamIsAskedAsAProxyIs() throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess next = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--via=next");
                JarProcess server = miniServer("--upstream=http://user:secret@" + next.listening())) {
            Curl.End end = curl.get(server.listening(), origin.url("/bytes/" + PAGE.length + "/1"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(page()).isEqualTo(PAGE);
            assertThat(origin.asked()).singleElement().satisfies(asked -> {
                assertThat(asked.fields().get("Via")).containsExactly("1.1 mini", "1.1 next");
                assertThat(asked.fields()).doesNotContainKey("Proxy-authorization");
            });
        }
    }

    @Test
    void aSocksUpstreamIsATunnelToTheOrigin() throws Exception {
        try (WebServer origin = WebServer.start();
                Origin next = Origin.start(SocksServer::relay);
                JarProcess server = miniServer("--upstream=socks5://" + next.target())) {
            Curl.End end = curl.get(server.listening(), origin.url("/bytes/" + PAGE.length + "/1"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(page()).isEqualTo(PAGE);
            assertThat(origin.asked())
                    .singleElement()
                    .satisfies(asked -> assertThat(asked.fields().get("Via")).containsExactly("1.1 mini"));
        }
    }

    // ------------------------------------------------------------------ options

    @Test
    void itDoesNotTellOfItselfIfItShallNot() throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess server = JarProcess.miniServer("--listen=127.0.0.1:0", "--allow-private", "--no-via")) {
            Curl.End end = curl.get(server.listening(), "--head", origin.url("/bytes/1/1"));

            assertThat(end).isEqualTo(new Curl.End(0, "000 200"));
            assertThat(page()).asString().doesNotContainIgnoringCase("via:");
            assertThat(origin.asked())
                    .singleElement()
                    .satisfies(asked -> assertThat(asked.fields()).doesNotContainKey("Via"));
        }
    }

    @Test
    void anOriginThatDoesNotAnswerInItsTimeIs504() throws Exception {
        try (Origin origin = Origin.discard();
                JarProcess server = miniServer("--answer-timeout=200ms");
                Peer client = Peer.connect(server.listening().port())) {
            client.send("GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 504 Gateway Timeout\r\n");
        }
    }

    @Test
    void aBodyThatDoesNotComeInItsTimeIs408() throws Exception {
        try (Origin origin = Origin.discard();
                JarProcess server = miniServer("--body-timeout=200ms");
                Peer client = Peer.connect(server.listening().port())) {
            client.send("POST http://" + origin.target() + "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx");

            assertThat(client.readHead()).startsWith("HTTP/1.1 408 Request Timeout\r\n");
        }
    }

    @Test
    void aClientThatSendsNoOtherRequestInItsTimeIsLetGo() throws Exception {
        try (WebServer origin = WebServer.start();
                JarProcess server = miniServer("--keep-alive-timeout=200ms", "-v")) {
            HostPort address = server.listening();
            try (Peer client = Peer.connect(address.port())) {
                client.send("GET " + origin.url("/bytes/1/1") + " HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                client.readText(1);

                client.expectEnd();
            }
            server.awaitErr("connection: IDLE after");
        }
    }
}
