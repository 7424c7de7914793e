package io.broxy.core.requests;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessPolicy;
import io.broxy.Authenticator;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.Credentials;
import io.broxy.LocalRequest;
import io.broxy.LocalRequestHandler;
import io.broxy.LocalResponse;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies requests to the proxy itself, which the embedder's handler answers. */
@ExtendWith(LeakCheck.class)
class LocalRequestsTest {
    private static final String DATED = "Date: Tue, 01 Jan 2030 00:00:00 GMT\r\n";

    /** Says what it was asked. */
    private static final LocalRequestHandler ECHO = request -> LocalResponse.builder(200)
            .field("Date", "Tue, 01 Jan 2030 00:00:00 GMT")
            .body(ByteBuffer.wrap((request.method() + " " + request.target() + " " + ISO_8859_1.decode(request.body()))
                    .getBytes(ISO_8859_1)))
            .build();

    private static Proxy proxy(LocalRequestHandler handler) throws IOException {
        return proxy(handler, settings -> {});
    }

    private static Proxy proxy(LocalRequestHandler handler, Consumer<ProxyHandler.Builder> more) throws IOException {
        return Proxy.start(settings -> more.accept(settings.localRequests(handler)));
    }

    private static void expect(Peer client, String body) throws IOException {
        assertThat(client.readHead())
                .isEqualTo("HTTP/1.1 200 OK\r\n" + DATED + "Content-Length: " + body.length() + "\r\n\r\n");
        assertThat(client.readText(body.length())).isEqualTo(body);
    }

    // ------------------------------------------------------------------ what comes here

    @Test
    void withoutAHandlerThereIsNothing() throws IOException {
        try (Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 400 Bad Request\r\n");
        }
    }

    @Test
    void theHandlerSeesTheRequestAsItCame() throws Exception {
        CompletableFuture<LocalRequest> seen = new CompletableFuture<>();
        LocalRequestHandler handler = request -> {
            seen.complete(request);
            return LocalResponse.builder(204).build();
        };
        try (Proxy proxy = proxy(handler);
                Peer client = proxy.client()) {
            client.send("PUT /a%20b?c=d&e HTTP/1.1\r\nHost: x:1\r\nX-Two: 1\r\nx-two:  2 \r\nConnection: X-Two\r\n"
                    + "Content-Length: 3\r\n\r\nabc");

            LocalRequest request = seen.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(request.method()).isEqualTo("PUT");
            assertThat(request.target()).isEqualTo("/a%20b?c=d&e");
            assertThat(request.fields())
                    .containsExactly(
                            new ConnectRequest.Field("Host", "x:1"),
                            new ConnectRequest.Field("X-Two", "1"),
                            new ConnectRequest.Field("x-two", "2"),
                            new ConnectRequest.Field("Connection", "X-Two"),
                            new ConnectRequest.Field("Content-Length", "3"));
            assertThat(request.field("X-TWO")).isEqualTo("1");
            assertThat(request.field("none")).isNull();
            assertThat(ISO_8859_1.decode(request.body()).toString()).isEqualTo("abc");
            assertThat(request.body().isReadOnly()).isTrue();
            assertThat(request.client()).isEqualTo(InetAddress.getLoopbackAddress());
            assertThat(request).hasToString("LocalRequest[PUT]");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204 No Content\r\nDate: ");
        }
    }

    @Test
    void optionsForTheServerAsAWholeComesHereToo() throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");

            expect(client, "OPTIONS * ");
        }
    }

    @Test
    void connectAndAbsoluteFormNeverDo() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        LocalRequestHandler handler = request -> {
            asked.incrementAndGet();
            return ECHO.handle(request);
        };
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
                    peer.readAll();
                });
                Origin echo = Origin.echo();
                Proxy proxy = proxy(handler)) {
            try (Peer client = proxy.client()) {
                client.send("GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                assertThat(client.readText(1)).isEqualTo("x");
            }
            try (Peer client = proxy.connect(echo.target())) {
                assertThat(client.send("GET / HTTP/1.1\r\n").readText(6)).isEqualTo("GET / ");
            }
            try (Peer client = proxy.client()) {
                client.send("CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 400 Bad Request\r\n");
            }
            assertThat(asked).hasValue(0);
        }
    }

    @Test
    void neitherCredentialsNorTheAccessPolicyAreAskedFor() throws IOException {
        try (Proxy proxy = proxy(
                        ECHO,
                        settings -> settings.accessPolicy(AccessPolicy.any().negate())
                                .authenticator(Authenticator.basic("here", Credentials.basic("user", "secret"))));
                Peer client = proxy.client()) {
            client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");

            expect(client, "GET /health ");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
                "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            })
    void whatIsMalformedIsRefusedBeforeItIsAsked(String request) throws IOException {
        AtomicInteger asked = new AtomicInteger();
        try (Proxy proxy = proxy(got -> {
                    asked.incrementAndGet();
                    return ECHO.handle(got);
                });
                Peer client = proxy.client()) {
            client.send(request);

            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 400 Bad Request\r\n")
                    .contains("Connection: close\r\n");
            assertThat(asked).hasValue(0);
        }
    }

    // ------------------------------------------------------------------ bodies

    @Test
    void aBodyMayComeByteByByte() throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            String chunks = "3;e=f\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n";
            String request = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
            for (int i = 0; i < request.length(); i++) {
                client.send(request.substring(i, i + 1));
            }

            expect(client, "POST /a abcde");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBodyMayBe64KibibytesAndNotAByteMore(boolean chunked) throws IOException {
        String most = new String(Payload.bytes(LocalRequest.MAX_BODY, 1), ISO_8859_1);
        try (Proxy proxy = proxy(ECHO)) {
            try (Peer client = proxy.client()) {
                client.send(post(most, chunked));
                expect(client, "POST /a " + most);
            }
            try (Peer client = proxy.client()) {
                client.send(post(most + "x", chunked));
                assertThat(client.readHead())
                        .startsWith("HTTP/1.1 413 Content Too Large\r\n")
                        .contains("Connection: close\r\n");
                assertThat(client.readAll()).isEqualTo("413 the body is too long\n");
            }
        }
    }

    private static String post(String body, boolean chunked) {
        String head = "POST /a HTTP/1.1\r\nHost: x\r\n";
        return chunked
                ? head + "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(body.length()) + "\r\n" + body
                        + "\r\n0\r\n\r\n"
                : head + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void aClientThatWaitsForAWordToSendItsBodyGetsIt() throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
                assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
                client.send("ok");
                expect(client, "POST /a ok");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"3, ok!", "0, ''"})
    void aClientThatDoesNotWaitGetsNone(int length, String body) throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + length + "\r\n\r\n"
                    + body);

            expect(client, "POST /a " + body);
        }
    }

    @Test
    void aBodyThatIsTooLongIsNotWaitedFor() throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n");

            assertThat(client.readHead()).startsWith("HTTP/1.1 413 ");
        }
    }

    @Test
    void aBodyThatStopsIsNotWaitedForLongerThanItsTime() throws IOException {
        try (Proxy proxy = proxy(ECHO, settings -> settings.bodyTimeout(Duration.ofMillis(50)));
                Peer client = proxy.client()) {
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx");

            assertThat(client.readHead()).startsWith("HTTP/1.1 408 Request Timeout\r\n");
        }
    }

    // ------------------------------------------------------------------ answers

    @Test
    void requestsAreAnsweredInOrderOverOneConnectionAmongOthers() throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\norigin");
                    peer.readAll();
                });
                Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            client.send(
                    "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2"
                            + "GET http://" + origin.target() + "/3 HTTP/1.1\r\nHost: x\r\n\r\n"
                            + "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n");

            expect(client, "GET /1 ");
            expect(client, "POST /2 2");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n");
            assertThat(client.readText(6)).isEqualTo("origin");
            expect(client, "GET /4 ");
            await().untilAsserted(() ->
                    assertThat(proxy.handler().stats().totalExchanges()).isEqualTo(4));
            client.shutdownOutput().expectEnd();
        }
    }

    @Test
    void theLastRequestOfAConnectionIsAnsweredWithClose() throws IOException {
        try (Proxy proxy = proxy(ECHO, settings -> settings.maxRequestsPerConnection(2));
                Peer client = proxy.client()) {
            client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
            expect(client, "GET /first ");
            client.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\n");

            assertThat(client.readHead()).contains("\r\nConnection: close\r\n");
            assertThat(client.readAll()).isEqualTo("GET /last ");
        }
    }

    @Test
    void headGetsTheFieldsOfGetAndNoBody() throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            client.send("HEAD /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n" + DATED + "Content-Length: 8\r\n\r\n");
            expect(client, "GET /2 ");
        }
    }

    @ParameterizedTest
    @CsvSource({"204, No Content", "304, Not Modified"})
    void whatHasNoContentHasNoLengthEither(int status, String reason) throws IOException {
        try (Proxy proxy = proxy(request -> LocalResponse.builder(status)
                        .field("date", "Tue, 01 Jan 2030 00:00:00 GMT")
                        .build());
                Peer client = proxy.client()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(client.readHead())
                    .isEqualTo("HTTP/1.1 " + status + " " + reason + "\r\n" + DATED.replace('D', 'd') + "\r\n");

            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 " + status + " ");
        }
    }

    @Test
    void fieldsArePassedOnAndADateIsAdded() throws IOException {
        try (Proxy proxy = proxy(request -> LocalResponse.of(218, "text/plain", "ok"));
                Peer client = proxy.client()) {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

            String date = "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT";
            assertThat(client.readHead())
                    .matches("HTTP/1\\.1 218 \r\nContent-Type: text/plain; charset=utf-8\r\nDate: " + date
                            + "\r\nContent-Length: 2\r\n\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.0\r\n\r\n",
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            })
    void aClientThatDoesNotKeepItsConnectionGetsAClose(String request) throws IOException {
        try (Proxy proxy = proxy(ECHO);
                Peer client = proxy.client()) {
            client.send(request);

            assertThat(client.readHead()).endsWith("Content-Length: 6\r\nConnection: close\r\n\r\n");
            assertThat(client.readAll()).isEqualTo("GET / ");
        }
    }

    @Test
    void aLongAnswerWaitsForASlowClient() throws IOException {
        byte[] page = Payload.bytes(10 << 20, 1);
        try (Proxy proxy = proxy(request ->
                        LocalResponse.builder(200).body(ByteBuffer.wrap(page)).build());
                Peer client = proxy.client()) {
            client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
            for (int i = 0; i < 2; i++) {
                assertThat(client.readHead()).contains("Content-Length: 10485760\r\n");
                assertThat(client.read(page.length)).isEqualTo(page);
            }
        }
    }

    @Test
    void aClientThatDoesNotReadItsAnswerIsReset() throws Exception {
        byte[] page = new byte[32 << 20];
        try (Proxy proxy = proxy(
                        request -> LocalResponse.builder(200)
                                .body(ByteBuffer.wrap(page))
                                .build(),
                        settings -> settings.bodyTimeout(Duration.ofMillis(100)));
                ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                Peer client = Peer.connect(server.getLocalAddress());
                SocketChannel accepted = server.accept()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted).completion();
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

            ConnectionResult end = result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(end.reason()).isEqualTo(CloseReason.IDLE);
            assertThat(end.exchanges()).isEqualTo(1);
            client.expectReset();
        }
    }

    // ------------------------------------------------------------------ handlers

    @Test
    void aHandlerMayBlockAndTheLoopsGoOn() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        LocalRequestHandler handler = request -> {
            assertThat(release.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            return ECHO.handle(request);
        };
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy(handler);
                Peer first = proxy.client();
                Peer second = proxy.client()) {
            first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
            second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
            await().until(() -> proxy.handler().stats().openExchanges() == 2);
            for (int i = 0; i < 4; i++) { // on each loop
                try (Peer client = proxy.connect(origin.target())) {
                    assertThat(client.send("x").readText(1)).isEqualTo("x");
                }
            }
            release.countDown();

            expect(first, "GET /1 ");
            expect(second, "GET /2 ");
        }
    }

    @Test
    @SuppressWarnings("NullAway") // what a handler must not do
    void oneThatFailsIsA500WithoutAWordOfWhy() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        LocalRequestHandler handler = request -> {
            switch (asked.getAndIncrement()) {
                case 0 -> throw new Exception("secret");
                case 1 -> throw new StackOverflowError("secret");
                case 2 -> {
                    return null;
                }
                default -> {
                    return ECHO.handle(request);
                }
            }
        };
        try (CapturedLog log = CapturedLog.start();
                Proxy proxy = proxy(handler);
                Peer client = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead())
                        .startsWith("HTTP/1.1 500 Internal Server Error\r\n")
                        .doesNotContain("Connection: close");
                assertThat(client.readText(21)).isEqualTo("500 the proxy failed\n");
            }
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            expect(client, "GET / ");
            assertThat(log.lines("a handler of the proxy's own requests failed"))
                    .hasSize(3);
        }
    }

    @Test
    void oneThatIsTooSlowIsA503AndItsAnswerComesToNothing() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch late = new CountDownLatch(1);
        LocalRequestHandler handler = request -> {
            if (request.target().equals("/slow")) {
                assertThat(release.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                        .isTrue();
                late.countDown();
            }
            return ECHO.handle(request);
        };
        try (Proxy proxy = proxy(handler, settings -> settings.localRequestTimeout(Duration.ofMillis(50)));
                Peer client = proxy.client()) {
            client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 503 Service Unavailable\r\n");
            assertThat(client.readText(37)).isEqualTo("503 the proxy did not answer in time\n");
            release.countDown();
            assertThat(late.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();

            client.shutdownOutput().expectEnd();
        }
    }

    // ------------------------------------------------------------------ reported events

    @Test
    void eachIsReportedAsAnExchangeWithoutATarget() throws Exception {
        Events events = new Events();
        LocalRequestHandler handler = request -> {
            if (request.target().equals("/fail")) {
                throw new IOException("on purpose");
            }
            return LocalResponse.builder(404).build();
        };
        try (CapturedLog log = CapturedLog.startWithAccess();
                Proxy proxy = proxy(handler, settings -> settings.listener(events))) {
            try (Peer client = proxy.client()) {
                client.send("GET /sesame?sesame HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 404 ");
                client.send("HEAD /fail HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 500 ");
                client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + (LocalRequest.MAX_BODY + 1) + "\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 413 ");
            }

            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "exchange ended GET null by null: 404 FINISHED",
                            "exchange ended HEAD null by null: 500 FAILED",
                            "refused PUT null by null: BODY_TOO_LARGE",
                            "closed: REFUSED, exchanges 3");
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> log.lines("io.broxy.access").size() == 3);
            assertThat(log.lines("io.broxy.access").get(0))
                    .contains(
                            "kind=exchange ",
                            " user=- protocol=http method=GET target=- status=404 peer=- to_origin=0 to_client=0 ")
                    .endsWith(" reason=FINISHED error=-");
            assertThat(log.lines("io.broxy.access").get(1)).endsWith(" reason=FAILED error=IOException");
            assertThat(log.text()).doesNotContain("sesame");
            assertThat(proxy.handler().stats().totalExchanges()).isEqualTo(3);
        }
    }

    @Test
    void aLateHandlerAndAClientThatLeavesAreReportedToo() throws Exception {
        Events events = new Events();
        CountDownLatch release = new CountDownLatch(1);
        LocalRequestHandler handler = request -> {
            release.await();
            return LocalResponse.builder(200).build();
        };
        try (Proxy proxy =
                proxy(handler, settings -> settings.listener(events).localRequestTimeout(Duration.ofMillis(50)))) {
            try (Peer client = proxy.client()) {
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 503 ");
            }
            release.countDown();
            events.untilClosed();
            Peer leaving = proxy.client().send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n1");
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> proxy.handler().stats().openExchanges() == 1);
            leaving.reset();

            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .untilAsserted(() -> assertThat(events.all())
                            .containsExactly(
                                    "opened",
                                    "exchange ended GET null by null: 503 FAILED",
                                    "closed: FINISHED, exchanges 1",
                                    "opened",
                                    "exchange ended PUT null by null: 0 CLIENT_GONE",
                                    "closed: CLIENT_GONE, exchanges 1"));
        }
    }

    // ------------------------------------------------------------------ ends

    @ParameterizedTest
    @ValueSource(
            strings = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"})
    void aHandlerThatClosesEndsWhatIsInProgress(String request) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        LocalRequestHandler handler = asked -> {
            release.await();
            return ECHO.handle(asked);
        };
        try (Proxy proxy = proxy(handler);
                Peer client = proxy.client()) {
            client.send(request);
            await().until(() -> proxy.handler().stats().openExchanges() == 1);
            proxy.handler().close();

            client.expectReset();
            await().until(() -> proxy.handler().stats().openExchanges() == 0);
            release.countDown();
        }
    }

    @Test
    void aDrainWaitsForAnAnswerAndLetsNoOtherBegin() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        LocalRequestHandler handler = request -> {
            assertThat(release.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            return ECHO.handle(request);
        };
        try (Proxy proxy = proxy(handler);
                Peer running = proxy.client();
                Peer late = proxy.client()) {
            running.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
            await().until(() -> proxy.handler().stats().openExchanges() == 1);
            CompletableFuture<Boolean> drained =
                    Background.supply(() -> proxy.handler().drain(Duration.ofHours(1)));
            await().untilAsserted(
                            () -> { // until it has begun, others are served
                                try (Peer probe = proxy.client()) {
                                    probe.send("GET /probe HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n");
                                    assertThat(probe.readHead()).startsWith("HTTP/1.1 503 ");
                                }
                            });
            late.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(late.readHead()).startsWith("HTTP/1.1 503 ");
            release.countDown();

            assertThat(running.readHead()).endsWith("Connection: close\r\n\r\n");
            assertThat(running.readAll()).isEqualTo("GET /1 ");
            assertThat(drained.get()).isTrue();
        }
    }

    @Test
    void aClientThatLeavesWithinItsBodyIsForgotten() throws IOException {
        try (Proxy proxy = proxy(ECHO)) {
            try (Peer client = proxy.client()) {
                client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx");
                await().until(() -> proxy.handler().stats().openExchanges() == 1);
            }
            await().until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().openExchanges()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-1S"})
    void theTimeIsPositive(Duration time) {
        try (Broxy broxy = Broxy.create()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> broxy.proxyHandler().localRequestTimeout(time));
        }
    }
}
