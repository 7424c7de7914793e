package io.broxy.core.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.Authenticator;
import io.broxy.Credentials;
import io.broxy.FilterRequest;
import io.broxy.LocalResponse;
import io.broxy.RequestDecision;
import io.broxy.ResponseDecision;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies plain HTTP from the JDK's client through the proxy to the JDK's server. Descriptors are not counted here:
 * such a client keeps its selector until it is collected.
 */
class RealHttpTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int TEN_MEBIBYTES = 10 << 20;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private WebServer server;

    @BeforeEach
    void startServer() throws IOException {
        server = WebServer.start();
    }

    @AfterEach
    void stopServer() {
        server.close();
        threads.shutdownNow();
    }

    private HttpClient.Builder client(Proxy proxy) {
        return HttpClient.newBuilder()
                .proxy(ProxySelector.of(proxy.address()))
                .executor(threads)
                .connectTimeout(PATIENCE);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(server.url(path))).timeout(PATIENCE);
    }

    private static String digest(byte[] bytes) throws IOException {
        return Payload.read(new ByteArrayInputStream(bytes));
    }

    // ------------------------------------------------------------------ requests

    @ParameterizedTest
    @EnumSource
    void aPageIsFetchedByWhateverVersionTheClientPrefers(HttpClient.Version version) throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.viaPseudonym("here"))) {
            HttpResponse<byte[]> response = client(proxy)
                    .version(version)
                    .build()
                    .send(request("/bytes/1000/1").build(), BodyHandlers.ofByteArray());

            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(digest(response.body())).isEqualTo(Payload.write(OutputStream.nullOutputStream(), 1_000, 1));
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
            assertThat(response.headers().allValues("Via")).containsExactly("1.1 here");
            assertThat(proxy.handler().stats().establishedTunnels()).isZero();
        }
        assertThat(server.asked()).singleElement().satisfies(asked -> {
            assertThat(asked.target()).isEqualTo("/bytes/1000/1");
            assertThat(asked.fields().get("Host")).containsExactly("127.0.0.1:" + server.port());
            assertThat(asked.fields().get("Via")).containsExactly("1.1 here");
            assertThat(asked.fields()).doesNotContainKeys("Upgrade", "Http2-settings", "Proxy-connection");
        });
    }

    @Test
    void filtersPassChangeAnswerAndRefuse() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.requestFilter(RealHttpTest::filter)
                .responseFilter(response -> ResponseDecision.pass().set("X-Seen", "yes")))) {
            HttpClient client = client(proxy).build();
            for (int i = 1; i <= 2; i++) {
                HttpResponse<String> passed = client.send(request("/bytes/10/1").build(), BodyHandlers.ofString());
                assertThat(passed.headers().allValues("X-Seen")).containsExactly("yes");
                assertThat(server.asked())
                        .hasSize(i)
                        .allSatisfy(asked ->
                                assertThat(asked.fields().get("X-Gate")).containsExactly("7"));

                HttpResponse<String> answered = client.send(request("/here").build(), BodyHandlers.ofString());
                assertThat(answered.body()).isEqualTo("from here");
                HttpResponse<String> refused = client.send(request("/blocked").build(), BodyHandlers.ofString());
                assertThat(refused.statusCode()).isEqualTo(403);
                assertThat(refused.body()).isEqualTo("403 blocked\n");
            }
        }
    }

    private static RequestDecision filter(FilterRequest request) {
        String uri = String.valueOf(request.uri());
        if (uri.endsWith("/blocked")) {
            return RequestDecision.refuse(403, "blocked");
        }
        return uri.endsWith("/here")
                ? RequestDecision.answer(LocalResponse.builder(200)
                        .body(ByteBuffer.wrap("from here".getBytes(UTF_8)))
                        .build())
                : RequestDecision.pass().set("X-Gate", "7");
    }

    @Test
    void requestAfterRequestGoesOverOneConnectionOnEachSide() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            HttpClient client = client(proxy).build();
            for (int i = 0; i < 5; i++) {
                HttpResponse<byte[]> response =
                        client.send(request("/bytes/100/" + i).build(), BodyHandlers.ofByteArray());
                assertThat(digest(response.body())).isEqualTo(Payload.write(OutputStream.nullOutputStream(), 100, i));
            }
            assertThat(server.connections()).isEqualTo(1);
            await().untilAsserted( // the client may have its answer before that
                            () -> assertThat(proxy.handler().stats().totalExchanges())
                                    .isEqualTo(5));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBodyIsPostedWithItsLengthAndEchoed(boolean expectContinue) throws Exception {
        byte[] body = Payload.bytes(100_000, 3);
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<byte[]> response = client(proxy)
                    .build()
                    .send(
                            request("/echo")
                                    .expectContinue(expectContinue)
                                    .POST(BodyPublishers.ofByteArray(body))
                                    .build(),
                            BodyHandlers.ofByteArray());

            assertThat(response.body()).isEqualTo(body);
            assertThat(response.headers().firstValueAsLong("Content-Length")).hasValue(body.length);
        }
        assertThat(server.asked()).singleElement().satisfies(asked -> {
            assertThat(asked.fields().get("Content-Length")).containsExactly("100000");
            assertThat(asked.fields().containsKey("Expect")).isEqualTo(expectContinue);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBodyOfUnknownLengthIsPostedInChunksAndEchoedInChunks(boolean expectContinue) throws Exception {
        byte[] body = Payload.bytes(100_000, 3);
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<byte[]> response = client(proxy)
                    .build()
                    .send(
                            request("/echo")
                                    .expectContinue(expectContinue)
                                    .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
                                    .build(),
                            BodyHandlers.ofByteArray());

            assertThat(response.body()).isEqualTo(body);
            assertThat(response.headers().firstValue("Transfer-Encoding")).hasValue("chunked");
        }
        assertThat(server.asked())
                .singleElement()
                .satisfies(asked ->
                        assertThat(asked.fields().get("Transfer-encoding")).containsExactly("chunked"));
    }

    @Test
    void aHeadHasALengthAndNoBodyAndTheNextRequestFollows() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            HttpClient client = client(proxy).build();
            HttpResponse<byte[]> head = client.send(
                    request("/bytes/5000/1")
                            .method("HEAD", BodyPublishers.noBody())
                            .build(),
                    BodyHandlers.ofByteArray());
            HttpResponse<byte[]> get = client.send(request("/bytes/5000/1").build(), BodyHandlers.ofByteArray());

            assertThat(head.headers().firstValueAsLong("Content-Length")).hasValue(5_000);
            assertThat(head.body()).isEmpty();
            assertThat(get.body()).hasSize(5_000);
            assertThat(server.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 301, 304, 404, 500})
    void aStatusIsPassedOnAndNothingIsFollowed(int status) throws Exception {
        server.on("/status", exchange -> {
            exchange.getResponseHeaders().set("Location", "/elsewhere");
            exchange.sendResponseHeaders(status, -1);
        });
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<String> response =
                    client(proxy).build().send(request("/status").build(), BodyHandlers.ofString());

            assertThat(response.statusCode()).isEqualTo(status);
            assertThat(response.headers().firstValue("Location")).hasValue("/elsewhere");
            assertThat(response.body()).isEmpty();
        }
        assertThat(server.asked()).hasSize(1);
    }

    @Test
    void aRefusedTargetIsAnAnswer() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.addressPolicy(io.broxy.AddressPolicy.publicOnly()))) {
            HttpResponse<String> response =
                    client(proxy).build().send(request("/bytes/1/1").build(), BodyHandlers.ofString());

            assertThat(response.statusCode()).isEqualTo(403);
            assertThat(response.body()).isEqualTo("403 the target's address is not allowed\n");
        }
        assertThat(server.asked()).isEmpty();
    }

    @Test
    void credentialsAreForTheProxyAndNotForTheOrigin() throws Exception {
        Authenticator users = Authenticator.basic("here", Credentials.basic("user", "secret"));
        try (Proxy proxy = Proxy.start(settings -> settings.authenticator(users))) {
            HttpClient client = client(proxy)
                    .authenticator(new java.net.Authenticator() {
                        @Override
                        protected PasswordAuthentication getPasswordAuthentication() {
                            return new PasswordAuthentication("user", "secret".toCharArray());
                        }
                    })
                    .build();
            HttpResponse<byte[]> response = client.send(
                    request("/echo").POST(BodyPublishers.ofString("hello")).build(), BodyHandlers.ofByteArray());

            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).asString().isEqualTo("hello");
            assertThat(response.headers().map()).doesNotContainKey("proxy-authenticate");
        }
        assertThat(server.asked())
                .singleElement()
                .satisfies(asked -> assertThat(asked.fields()).doesNotContainKey("Proxy-authorization"));
    }

    // ------------------------------------------------------------------ much at once

    @ParameterizedTest
    @ValueSource(strings = {"/bytes/", "/chunks/"})
    void tenMebibytesComeDownByteForByte(String kind) throws Exception {
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<byte[]> response = client(proxy)
                    .build()
                    .send(request(kind + TEN_MEBIBYTES + "/7").build(), BodyHandlers.ofByteArray());

            assertThat(digest(response.body()))
                    .isEqualTo(Payload.write(OutputStream.nullOutputStream(), TEN_MEBIBYTES, 7));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tenMebibytesGoUpByteForByte(boolean chunked) throws Exception {
        byte[] body = Payload.bytes(TEN_MEBIBYTES, 8);
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<String> response = client(proxy)
                    .build()
                    .send(
                            request("/digest")
                                    .POST(
                                            chunked
                                                    ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))
                                                    : BodyPublishers.ofByteArray(body))
                                    .build(),
                            BodyHandlers.ofString());

            assertThat(response.body()).isEqualTo(digest(body));
        }
    }

    @Test
    void tenMebibytesGoUpAndComeDownAtTheSameTime() throws Exception {
        byte[] body = Payload.bytes(TEN_MEBIBYTES, 9);
        try (Proxy proxy = Proxy.start()) {
            HttpResponse<byte[]> response = client(proxy)
                    .build()
                    .send(
                            request("/echo")
                                    .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
                                    .build(),
                            BodyHandlers.ofByteArray());

            assertThat(digest(response.body())).isEqualTo(digest(body));
        }
    }

    @Test
    void manyRequestsAtOnceGetTheirOwnAnswers() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            HttpClient client = client(proxy).build();
            List<CompletableFuture<HttpResponse<byte[]>>> responses = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                responses.add(client.sendAsync(
                        request("/echo")
                                .POST(BodyPublishers.ofByteArray(Payload.bytes(5_000, i)))
                                .build(),
                        BodyHandlers.ofByteArray()));
            }
            for (int i = 0; i < 32; i++) {
                assertThat(responses.get(i).get().body()).isEqualTo(Payload.bytes(5_000, i));
            }
        }
    }

    // ------------------------------------------------------------------ what breaks

    @ParameterizedTest
    @ValueSource(ints = {0, 1_000})
    void aBodyThatIsCutIsCutToTheClient(int length) throws Exception {
        server.on("/cut", exchange -> {
            exchange.sendResponseHeaders(200, length); // 0 is chunks
            exchange.getResponseBody().write(new byte[500]);
            exchange.getResponseBody().flush();
            throw new IOException("cut");
        });
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> client(proxy).build().send(request("/cut").build(), BodyHandlers.ofByteArray()))
                    .isInstanceOf(IOException.class);
        }
    }
}
