package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.LocalProxy;
import io.broxy.core.testkit.BlackHole;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the JDK's HTTP client through a local proxy and a dialer. */
class JdkHttpTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @ParameterizedTest
    @EnumSource
    void getsAPage(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.http(1);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            HttpClient client = JdkHttpRecipe.client(proxy, TIMEOUT).build();

            assertThat(get(client, web.url("/")).join()).isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, web.port()));
        }
    }

    /** The JDK sends no Basic credentials for a tunnel unless a property of the JVM allows it. */
    @ParameterizedTest
    @EnumSource
    void getsAPageOverTls(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.https(1);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.broxy()
                        .localProxy(network.dialer(via))
                        .withoutCredentials()
                        .start()) {
            HttpClient client = JdkHttpRecipe.client(proxy, TIMEOUT)
                    .sslContext(CorporateNetwork.certificates().client())
                    .build();

            assertThat(get(client, web.url("/")).join()).isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, web.port()));
        }
    }

    @Test
    void hasTwoHundredConnections() throws Exception {
        try (HelloServer web = HelloServer.http(200);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(CorporateNetwork.Via.SOCKS5)) {
            HttpClient client =
                    JdkHttpRecipe.client(proxy, Duration.ofSeconds(60)).build();
            List<CompletableFuture<String>> pages = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                pages.add(get(client, web.url("/meet")));
            }

            assertThat(pages).allSatisfy(page -> assertThat(page.join()).isEqualTo("hello"));
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient();
                LocalProxy proxy = network.localProxy(CorporateNetwork.Via.HTTP)) {
            HttpClient client = JdkHttpRecipe.client(proxy, TIMEOUT).build();
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + CorporateNetwork.HOST + ":"
                            + hole.target().port()))
                    .timeout(Duration.ofMillis(200))
                    .build();

            assertThatThrownBy(() -> client.send(request, HttpResponse.BodyHandlers.ofString()))
                    .isInstanceOf(HttpTimeoutException.class);
        }
    }

    private static CompletableFuture<String> get(HttpClient client, String url) {
        return client.sendAsync(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
                .thenApply(HttpResponse::body);
    }
}
