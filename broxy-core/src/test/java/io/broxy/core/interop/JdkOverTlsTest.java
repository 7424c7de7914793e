package io.broxy.core.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.TlsOutcome;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Specifies that the JDK's HTTP client works with a proxy that speaks TLS. It knows no such proxies, so its connections
 * go through an {@code SSLSocket}. Descriptors are not counted here: such a client keeps its selector until it is
 * collected.
 */
class JdkOverTlsTest {
    private static final byte[] BODY = Payload.bytes(2 << 20, 4);
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stopThreads() {
        threads.shutdownNow();
    }

    /** Passes each connection on to the proxy, over TLS. */
    private static Origin bridge(TlsProxy proxy) throws IOException {
        return Origin.start(peer -> {
            try (Peer secure = proxy.client()) {
                CompletableFuture<?> back = Background.run(() -> {
                    secure.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                    peer.shutdownOutput();
                });
                peer.socket().getInputStream().transferTo(secure.socket().getOutputStream());
                secure.shutdownOutput();
                back.exceptionally(broken -> null).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            }
        });
    }

    private HttpClient client(Origin bridge) {
        return HttpClient.newBuilder()
                .sslContext(Certificates.loopback().client())
                .proxy(ProxySelector.of(bridge.address()))
                .executor(threads)
                .connectTimeout(PATIENCE)
                .build();
    }

    private static HttpRequest post(String url) {
        return HttpRequest.newBuilder(URI.create(url))
                .timeout(PATIENCE)
                .version(HttpClient.Version.HTTP_1_1)
                .POST(BodyPublishers.ofByteArray(BODY))
                .build();
    }

    @Test
    void plainHttpIsForwarded() throws Exception {
        try (WebServer origin = WebServer.start();
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Origin bridge = bridge(proxy)) {
            HttpResponse<String> response = client(bridge).send(post(origin.url("/digest")), BodyHandlers.ofString());

            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo(Payload.read(new ByteArrayInputStream(BODY)));
            assertThat(proxy.stats().tlsHandshakes(TlsOutcome.COMPLETED)).isEqualTo(1);
        }
    }

    @Test
    void httpsIsTunneled() throws Exception {
        try (Origin origin = Origin.startTls(Certificates.loopback(), peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + BODY.length + "\r\n\r\n")
                            .send(peer.read(BODY.length));
                });
                TlsProxy proxy = TlsProxy.start(settings -> {});
                Origin bridge = bridge(proxy)) {
            HostPort target = HostPort.of("localhost", origin.port());
            HttpResponse<byte[]> response =
                    client(bridge).send(post("https://" + target + "/"), BodyHandlers.ofByteArray());

            assertThat(response.body()).isEqualTo(BODY);
            assertThat(response.sslSession()).isPresent();
            assertThat(proxy.stats().establishedTunnels()).isEqualTo(1);
        }
    }
}
