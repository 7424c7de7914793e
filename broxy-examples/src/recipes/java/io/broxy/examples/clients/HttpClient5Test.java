package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.testkit.BlackHole;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.classic.BasicHttpClientResponseHandler;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies Apache HttpClient 5 through a dialer. */
class HttpClient5Test {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @ParameterizedTest
    @EnumSource
    void getsAPage(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.http(1);
                CorporateNetwork network = CorporateNetwork.open();
                CloseableHttpClient client = client(HttpClient5Recipe.connections(network.sockets(via), TIMEOUT))) {
            assertThat(get(client, web.url("/"))).isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, web.port()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void getsAPageOverTls(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.https(1);
                CorporateNetwork network = CorporateNetwork.open();
                CloseableHttpClient client = client(HttpClient5Recipe.connections(network.sockets(via), TIMEOUT)
                        .setTlsSocketStrategy(new DefaultClientTlsStrategy(
                                CorporateNetwork.certificates().client())))) {
            assertThat(get(client, web.url("/"))).isEqualTo("hello");
        }
    }

    @Test
    void hasTwoHundredConnections() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(200);
        try (HelloServer web = HelloServer.http(200);
                CorporateNetwork network = CorporateNetwork.open();
                CloseableHttpClient client =
                        client(HttpClient5Recipe.connections(network.sockets(CorporateNetwork.Via.HTTP), TIMEOUT)
                                .setDefaultConnectionConfig(ConnectionConfig.custom()
                                        .setSocketTimeout(Timeout.ofSeconds(60))
                                        .build())
                                .setMaxConnTotal(200)
                                .setMaxConnPerRoute(200))) {
            List<Future<String>> pages = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                pages.add(threads.submit(() -> get(client, web.url("/meet"))));
            }

            assertThat(pages).allSatisfy(page -> assertThat(page.get()).isEqualTo("hello"));
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient();
                CloseableHttpClient client = client(HttpClient5Recipe.connections(
                        network.sockets(CorporateNetwork.Via.HTTP), Duration.ofMillis(200)))) {
            assertThatThrownBy(() -> get(
                            client,
                            "http://" + CorporateNetwork.HOST + ":"
                                    + hole.target().port()))
                    .isInstanceOf(InterruptedIOException.class);
        }
    }

    private static CloseableHttpClient client(PoolingHttpClientConnectionManagerBuilder connections) {
        return HttpClients.custom()
                .setConnectionManager(connections.build())
                .disableAutomaticRetries()
                .build();
    }

    private static String get(CloseableHttpClient client, String url) throws IOException {
        return client.execute(new HttpGet(url), new BasicHttpClientResponseHandler());
    }
}
