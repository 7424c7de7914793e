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
import java.util.concurrent.CompletableFuture;
import javax.net.SocketFactory;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies OkHttp through a dialer. */
class OkHttpTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @ParameterizedTest
    @EnumSource
    void getsAPage(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.http(1);
                CorporateNetwork network = CorporateNetwork.open()) {
            OkHttpClient client =
                    OkHttpRecipe.client(network.sockets(via), TIMEOUT).build();

            assertThat(get(client, web.url("/"))).isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, web.port()));
            end(client);
        }
    }

    @ParameterizedTest
    @EnumSource
    void getsAPageOverTls(CorporateNetwork.Via via) throws Exception {
        try (HelloServer web = HelloServer.https(1);
                CorporateNetwork network = CorporateNetwork.open()) {
            OkHttpClient client = withTls(network.sockets(via)).build();

            assertThat(get(client, web.url("/"))).isEqualTo("hello");
            end(client);
        }
    }

    @Test
    void hasTwoHundredConnections() throws Exception {
        try (HelloServer web = HelloServer.http(200);
                CorporateNetwork network = CorporateNetwork.open()) {
            Dispatcher dispatcher = new Dispatcher();
            dispatcher.setMaxRequests(200);
            dispatcher.setMaxRequestsPerHost(200);
            OkHttpClient client = OkHttpRecipe.client(
                            network.sockets(CorporateNetwork.Via.SOCKS5), Duration.ofSeconds(60))
                    .dispatcher(dispatcher)
                    .readTimeout(Duration.ofSeconds(60))
                    .build();
            List<CompletableFuture<String>> pages = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                pages.add(enqueue(client, web.url("/meet")));
            }

            assertThat(pages).allSatisfy(page -> assertThat(page.join()).isEqualTo("hello"));
            end(client);
        }
    }

    @Test
    void givesUpInTime() throws Exception {
        try (BlackHole hole = BlackHole.open();
                CorporateNetwork network = CorporateNetwork.impatient()) {
            OkHttpClient client = OkHttpRecipe.client(
                            network.sockets(CorporateNetwork.Via.SOCKS5), Duration.ofMillis(200))
                    .build();

            assertThatThrownBy(() -> get(
                            client,
                            "http://" + CorporateNetwork.HOST + ":"
                                    + hole.target().port()))
                    .isInstanceOf(InterruptedIOException.class);
            end(client);
        }
    }

    private static OkHttpClient.Builder withTls(SocketFactory sockets) {
        return OkHttpRecipe.client(
                sockets,
                CorporateNetwork.certificates().client().getSocketFactory(),
                CorporateNetwork.certificates().trustManager(),
                TIMEOUT);
    }

    private static String get(OkHttpClient client, String url) throws Exception {
        try (Response response =
                client.newCall(new Request.Builder().url(url).build()).execute()) {
            return response.body().string();
        }
    }

    private static CompletableFuture<String> enqueue(OkHttpClient client, String url) {
        CompletableFuture<String> page = new CompletableFuture<>();
        client.newCall(new Request.Builder().url(url).build()).enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                page.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call call, Response response) throws IOException {
                try (response) {
                    page.complete(response.body().string());
                }
            }
        });
        return page;
    }

    private static void end(OkHttpClient client) {
        client.connectionPool().evictAll();
        client.dispatcher().executorService().shutdown();
    }
}
