package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.LocalProxy;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

/** Specifies Reactor Netty's HTTP client through a local proxy and a dialer. */
class ReactorNettyTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @ParameterizedTest
    @EnumSource
    void getsAPage(CorporateNetwork.Via via) throws Exception {
        ConnectionProvider connections = ConnectionProvider.create("recipe", 8);
        try (HelloServer web = HelloServer.http(1);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            assertThat(client(connections, proxy, TIMEOUT)
                            .get()
                            .uri(web.url("/"))
                            .responseContent()
                            .aggregate()
                            .asString()
                            .block(PATIENCE))
                    .isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, web.port()));
            connections.disposeLater().block(PATIENCE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void getsPagesOverTls(CorporateNetwork.Via via) throws Exception {
        ConnectionProvider connections = ConnectionProvider.create("recipe", 4);
        try (HelloServer web = HelloServer.https(1);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            SslContext context = SslContextBuilder.forClient()
                    .trustManager(CorporateNetwork.certificates().trustManager())
                    .build();
            HttpClient client = client(connections, proxy, TIMEOUT)
                    .responseTimeout(PATIENCE)
                    .secure(tls -> tls.sslContext(context).handshakeTimeout(PATIENCE));

            assertThat(pages(client, web.url("/"), 4)).hasSize(4).containsOnly("hello");
            connections.disposeLater().block(PATIENCE);
        }
    }

    @Test
    void hasTwoHundredConnections() throws Exception {
        ConnectionProvider connections = ConnectionProvider.create("recipe", 200);
        try (HelloServer web = HelloServer.http(200);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(CorporateNetwork.Via.HTTP)) {
            HttpClient client = client(connections, proxy, PATIENCE).responseTimeout(PATIENCE);

            assertThat(pages(client, web.url("/meet"), 200)).hasSize(200).containsOnly("hello");
            connections.disposeLater().block(PATIENCE);
        }
    }

    private static @Nullable List<String> pages(HttpClient client, String url, int count) {
        return Flux.range(0, count)
                .flatMap(
                        number -> client.get()
                                .uri(url)
                                .responseContent()
                                .aggregate()
                                .asString(),
                        count)
                .collectList()
                .block(PATIENCE);
    }

    private static HttpClient client(ConnectionProvider connections, LocalProxy proxy, Duration timeout) {
        return ReactorNettyRecipe.client(
                connections,
                proxy.address(),
                Objects.requireNonNull(proxy.proxyUri().credentials()),
                timeout);
    }
}
