package io.broxy.core.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.broxy.core.Broxy;
import io.broxy.core.LocalProxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.WebServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.HttpsURLConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Specifies that the JDK's HTTP clients work through a local proxy, plain and with TLS, by HTTP and by SOCKS. Descriptors
 * are not counted here: these clients keep selectors and idle connections.
 */
class LocalProxyClientsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String PAGE = "hello";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private Broxy broxy;
    private WebServer web;
    private HttpsServer secure;

    @BeforeEach
    void start() throws IOException {
        broxy = Broxy.builder().eventLoops(1).build();
        web = WebServer.start().on("/page", LocalProxyClientsTest::page);
        secure = secureServer();
        secure.setExecutor(threads);
        secure.start();
    }

    @AfterEach
    void stop() {
        secure.stop(0);
        threads.shutdownNow();
        web.close();
        broxy.close();
    }

    private static HttpsServer secureServer() throws IOException {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setHttpsConfigurator(
                new HttpsConfigurator(Certificates.loopback().server()));
        server.createContext("/page", LocalProxyClientsTest::page);
        return server;
    }

    private static void page(HttpExchange exchange) throws IOException {
        byte[] body = PAGE.getBytes(UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private LocalProxy guarded() throws IOException {
        return broxy.localProxy(broxy.directDialer().build()).start();
    }

    private LocalProxy open() throws IOException {
        return broxy.localProxy(broxy.directDialer().build())
                .withoutCredentials()
                .start();
    }

    private URI plainPage() {
        return URI.create("http://localhost:" + web.port() + "/page");
    }

    private URI securePage() {
        return URI.create("https://localhost:" + secure.getAddress().getPort() + "/page");
    }

    // ------------------------------------------------------------------ HttpClient

    private static HttpClient.Builder client(LocalProxy proxy) {
        return HttpClient.newBuilder()
                .proxy(proxy.proxySelector())
                .authenticator(proxy.authenticator())
                .connectTimeout(PATIENCE)
                .sslContext(Certificates.loopback().client());
    }

    private static HttpResponse<String> get(HttpClient client, URI uri) throws Exception {
        return client.send(HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), BodyHandlers.ofString());
    }

    @Test
    void httpClientSendsTheCredentialsWithPlainRequests() throws Exception {
        try (LocalProxy proxy = guarded()) {
            assertThat(get(client(proxy).build(), plainPage()).body()).isEqualTo(PAGE);
            await().untilAsserted(
                            () -> assertThat(proxy.stats().totalExchanges()).isEqualTo(1));
        }
    }

    @Test
    void httpClientHasATunnelWithoutCredentials() throws Exception {
        try (LocalProxy proxy = open()) {
            assertThat(get(client(proxy).build(), securePage()).body()).isEqualTo(PAGE);
            await().untilAsserted(
                            () -> assertThat(proxy.stats().establishedTunnels()).isEqualTo(1));
        }
    }

    /** The JDK's default of {@code jdk.http.auth.tunneling.disabledSchemes} is Basic. */
    @Test
    void httpClientSendsNoCredentialsForTunnelsByDefault() throws Exception {
        try (LocalProxy proxy = guarded()) {
            HttpClient client = client(proxy).build();
            assertThatThrownBy(() -> {
                        HttpResponse<String> response = get(client, securePage());
                        throw new IOException("status " + response.statusCode());
                    })
                    .isInstanceOf(IOException.class);
            assertThat(proxy.stats().establishedTunnels()).isZero();
        }
    }

    @Test
    void httpClientConnectsDirectlyInsteadOfThroughSocks() throws Exception {
        try (LocalProxy proxy = open()) {
            HttpClient client = client(proxy).proxy(proxy.socksProxySelector()).build();
            assertThat(get(client, plainPage()).body()).isEqualTo(PAGE);
            assertThat(proxy.stats().totalConnections()).isZero();
        }
    }

    // ------------------------------------------------------------------ HttpURLConnection

    private static String fetch(URI uri, Proxy proxy, Authenticator authenticator) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection(proxy);
        if (connection instanceof HttpsURLConnection tls) {
            tls.setSSLSocketFactory(Certificates.loopback().client().getSocketFactory());
        }
        connection.setAuthenticator(authenticator);
        connection.setConnectTimeout((int) PATIENCE.toMillis());
        connection.setReadTimeout((int) PATIENCE.toMillis());
        try (InputStream body = connection.getInputStream()) {
            return new String(body.readAllBytes(), UTF_8);
        }
    }

    private static Proxy of(LocalProxy proxy, ProxySelector selector, URI uri) {
        assertThat(proxy.address().getPort()).isPositive();
        return selector.select(uri).get(0);
    }

    @Test
    void urlConnectionSendsTheCredentialsWithPlainRequests() throws Exception {
        try (LocalProxy proxy = guarded()) {
            Proxy http = of(proxy, proxy.proxySelector(), plainPage());
            assertThat(fetch(plainPage(), http, proxy.authenticator())).isEqualTo(PAGE);
            await().untilAsserted(
                            () -> assertThat(proxy.stats().totalExchanges()).isEqualTo(1));
        }
    }

    @Test
    void urlConnectionHasATunnelWithoutCredentialsOnlyByDefault() throws Exception {
        try (LocalProxy open = open();
                LocalProxy guarded = guarded()) {
            Proxy http = of(open, open.proxySelector(), securePage());
            assertThat(fetch(securePage(), http, open.authenticator())).isEqualTo(PAGE);
            await().untilAsserted(
                            () -> assertThat(open.stats().establishedTunnels()).isEqualTo(1));

            Proxy asking = of(guarded, guarded.proxySelector(), securePage());
            assertThatThrownBy(() -> fetch(securePage(), asking, guarded.authenticator()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("407");
        }
    }

    @Test
    void urlConnectionSpeaksSocks() throws Exception {
        try (LocalProxy open = open();
                LocalProxy guarded = guarded()) {
            for (URI uri : new URI[] {plainPage(), securePage()}) {
                Proxy socks = of(open, open.socksProxySelector(), uri);
                assertThat(fetch(uri, socks, open.authenticator())).isEqualTo(PAGE);
            }
            await().untilAsserted(
                            () -> assertThat(open.stats().establishedTunnels()).isEqualTo(2));

            Authenticator before = Authenticator.getDefault();
            Authenticator.setDefault(guarded.authenticator());
            try {
                Proxy socks = of(guarded, guarded.socksProxySelector(), securePage());
                assertThat(fetch(securePage(), socks, guarded.authenticator())).isEqualTo(PAGE);
            } finally {
                Authenticator.setDefault(before);
            }
            await().untilAsserted(() ->
                    assertThat(guarded.stats().establishedTunnels()).isEqualTo(1));
        }
    }

    // ------------------------------------------------------------------ with the property

    /** The clients read the property when they are loaded, so they run in a JVM of their own. */
    @Test
    void withThePropertyBothClientsHaveATunnelWithCredentials() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djdk.http.auth.tunneling.disabledSchemes=",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        TunnelsWithCredentials.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (InputStream out = process.getInputStream()) {
            assertThat(new String(out.readAllBytes(), UTF_8).lines()).containsExactly(PAGE, PAGE, "2 tunnels");
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
    }

    /** A program that fetches a page over TLS with both clients, through a local proxy with credentials. */
    static final class TunnelsWithCredentials {
        private TunnelsWithCredentials() {}

        public static void main(String[] args) throws Exception {
            HttpsServer server = secureServer();
            server.start();
            URI uri = URI.create("https://localhost:" + server.getAddress().getPort() + "/page");
            try (Broxy broxy = Broxy.builder().eventLoops(1).build();
                    LocalProxy proxy =
                            broxy.localProxy(broxy.directDialer().build()).start()) {
                System.out.println(get(client(proxy).build(), uri).body());
                Proxy http = of(proxy, proxy.proxySelector(), uri);
                System.out.println(fetch(uri, http, proxy.authenticator()));
                System.out.println(proxy.stats().establishedTunnels() + " tunnels");
            } finally {
                server.stop(0);
            }
            System.exit(0); // the clients' threads may still be there
        }
    }
}
