package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.broxy.AddressPolicy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Specifies that the JDK's HTTP client reaches the JDK's HTTPS server through the proxy. Descriptors are not counted
 * here: such a client keeps its selector until it is collected.
 */
class HttpsThroughProxyTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpsServer server;

    @BeforeEach
    void startServer() throws IOException {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setHttpsConfigurator(
                new HttpsConfigurator(Certificates.loopback().server()));
        server.setExecutor(threads);
        server.createContext("/echo", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        });
        server.start();
    }

    @AfterEach
    void stopServer() {
        server.stop(0);
        threads.shutdownNow();
    }

    private HttpClient client(Proxy proxy) {
        return HttpClient.newBuilder()
                .sslContext(Certificates.loopback().client())
                .proxy(ProxySelector.of(proxy.address()))
                .executor(threads)
                .connectTimeout(PATIENCE)
                .build();
    }

    private HttpRequest post(byte[] body) {
        return HttpRequest.newBuilder(
                        URI.create("https://localhost:" + server.getAddress().getPort() + "/echo"))
                .timeout(PATIENCE)
                .POST(BodyPublishers.ofByteArray(body))
                .build();
    }

    @Test
    void aPageIsFetchedByteForByte() throws Exception {
        byte[] body = Payload.bytes(2 << 20, 4);
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<byte[]> response = client(proxy).send(post(body), BodyHandlers.ofByteArray());

            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo(body);
            assertThat(response.sslSession()).isPresent();
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
        }
    }

    @Test
    void manyRequestsAtOnce() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            HttpClient client = client(proxy);
            List<CompletableFuture<HttpResponse<byte[]>>> responses = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                responses.add(client.sendAsync(post(Payload.bytes(10_000, i)), BodyHandlers.ofByteArray()));
            }
            for (int i = 0; i < 6; i++) {
                assertThat(responses.get(i).get().body()).isEqualTo(Payload.bytes(10_000, i));
            }
        }
    }

    @Test
    void aTargetThatIsDeniedIsAnErrorToTheClient() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.addressPolicy(AddressPolicy.publicOnly()))) {
            assertThatThrownBy(() -> client(proxy).send(post(new byte[1]), BodyHandlers.ofByteArray()))
                    .isInstanceOf(IOException.class);

            // counted when the connection is closed, which is after the client has read the answer
            await().untilAsserted(() ->
                    assertThat(proxy.handler().stats().dialFailures()).isPositive());
        }
    }
}
