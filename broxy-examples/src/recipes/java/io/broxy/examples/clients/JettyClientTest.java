package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.core.LocalProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.client.CompletableResponseListener;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies Jetty's HTTP client through a local proxy and a dialer. */
class JettyClientTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @ParameterizedTest
    @EnumSource
    void getsAPage(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.http(1)) {
            assertGets(via, web, "/", 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void getsAPageOverTls(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.https(1)) {
            assertGets(via, web, "/", 1);
        }
    }

    @Test
    void hasTwoHundredConnections() throws Exception {
        try (HelloServer web = HelloServer.http(200)) {
            assertGets(CorporateNetwork.Via.SOCKS5, web, "/meet", 200);
        }
    }

    private static void assertGets(CorporateNetwork.Via via, HelloServer web, String path, int requests)
            throws Exception {
        SslContextFactory.Client tls = new SslContextFactory.Client();
        tls.setSslContext(CorporateNetwork.certificates().client());
        try (CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            HttpClient client = JettyClientRecipe.client(
                    proxy.address(), Objects.requireNonNull(proxy.proxyUri().credentials()), tls, TIMEOUT);
            client.setIdleTimeout(60_000);
            client.setMaxConnectionsPerDestination(requests);
            client.start();
            try {
                List<CompletableFuture<ContentResponse>> pages = new ArrayList<>();
                for (int i = 0; i < requests; i++) {
                    pages.add(new CompletableResponseListener(client.newRequest(web.url(path))).send());
                }
                assertThat(pages)
                        .allSatisfy(page ->
                                assertThat(page.join().getContentAsString()).isEqualTo("hello"));
                assertThat(network.targets())
                        .hasSize(requests)
                        .containsOnly(HostPort.of(CorporateNetwork.HOST, web.port()));
            } finally {
                client.stop();
            }
        }
    }
}
