package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which requests use connections that their origin may be closing at that moment: those that can be sent
 * again. Others (RFC 9110, section 9.2.2) use a new connection, or one that its origin has promised to keep for much
 * longer.
 */
@ExtendWith(LeakCheck.class)
class DyingOriginsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final String LONG = "Keep-Alive: timeout=600";

    /** Where the proxy sends requests: to the origin itself, or to another proxy, which here is the origin, too. */
    private enum Way {
        DIRECT {
            @Override
            Proxy start(Origin origin) throws IOException {
                return Proxy.start();
            }
        },
        HTTP_PROXY {
            @Override
            Proxy start(Origin origin) throws IOException {
                return Proxy.start((broxy, settings) ->
                        settings.dialer(broxy.httpProxyDialer(origin.target()).build()));
            }
        },
        POOLED_HTTP_PROXY {
            @Override
            Proxy start(Origin origin) throws IOException {
                return Proxy.start((broxy, settings) -> settings.dialer(broxy.httpProxyDialer(origin.target())
                        .pool(broxy.connPool().build())
                        .build()));
            }
        };

        abstract Proxy start(Origin origin) throws IOException;
    }

    /** Answers each request, and says something of the connection with it. */
    private static Origin answering(String... fields) throws IOException {
        return Origin.start(peer -> {
            while (true) {
                peer.send(Http.ok(Http.read(peer).body(), fields));
            }
        });
    }

    /** Answers one request of each connection, and closes it so much later. */
    private static Origin closingBehind(long nanos) throws IOException {
        return Origin.start(peer -> {
            peer.send(Http.ok(Http.read(peer).body()));
            LockSupport.parkNanos(nanos);
        });
    }

    private static Http.Message exchange(Peer client, String request) throws IOException {
        client.send(request);
        return Http.read(client);
    }

    private static String post(HostPort origin) {
        return Http.post(origin, "/", "body");
    }

    private static String get(HostPort origin) {
        return Http.get(origin, "/");
    }

    // ------------------------------------------------------------------ origins that close without a word

    @ParameterizedTest
    @EnumSource(Way.class)
    @Tag("sweep")
    void noPostIsLostThoughTheOriginClosesAfterEachAnswer(Way way) throws IOException {
        for (long micros : List.of(0L, 300L, 1_000L)) {
            try (Origin origin = closingBehind(TimeUnit.MICROSECONDS.toNanos(micros));
                    Proxy proxy = way.start(origin);
                    Peer client = proxy.client()) {
                for (int i = 0; i < 100; i++) {
                    assertThat(exchange(client, post(origin.target())).head()).startsWith("HTTP/1.1 200 ");
                }
                assertThat(origin.accepted()).isEqualTo(100);
            }
        }
    }

    @Test
    @Tag("sweep")
    void norIsOneAfterGets() throws IOException {
        try (Origin origin = closingBehind(TimeUnit.MILLISECONDS.toNanos(1));
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 0; i < 100; i++) {
                assertThat(exchange(client, get(origin.target())).status()).isEqualTo(200);
                assertThat(exchange(client, post(origin.target())).status()).isEqualTo(200);
            }
        }
    }

    /** Each POST comes in the last hundredth of the second that the origin waits for it. */
    @Test
    @Tag("sweep")
    void noPostIsLostThatComesAtTheEndOfThePromise() throws Exception {
        Semaphore nearlyOver = new Semaphore(0);
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        peer.send(Http.ok(Http.read(peer).body(), "Keep-Alive: timeout=1"));
                        peer.socket().setSoTimeout(990);
                        try {
                            peer.socket().getInputStream().read();
                            return; // the proxy has closed it
                        } catch (SocketTimeoutException e) {
                            nearlyOver.release();
                        }
                        peer.socket().setSoTimeout(10);
                    }
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 0; i < 3; i++) {
                assertThat(exchange(client, post(origin.target())).status()).isEqualTo(200);
                nearlyOver.tryAcquire(1_200, TimeUnit.MILLISECONDS); // or the proxy has not kept it for so long
            }
        }
    }

    // ------------------------------------------------------------------ which requests

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST CONTENT_LENGTH",
                "POST CHUNKED",
                "POST EMPTY",
                "PATCH CONTENT_LENGTH",
                "PUT CONTENT_LENGTH",
                "PUT CHUNKED",
                "DELETE CONTENT_LENGTH",
                "GET CONTENT_LENGTH",
                "OPTIONS CHUNKED",
                "PROPFIND EMPTY",
                "get EMPTY",
            })
    void whatCannotBeSentTwiceTakesANewConnection(String request) throws IOException {
        assertThat(connections(request)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET EMPTY", "HEAD EMPTY", "OPTIONS EMPTY", "TRACE EMPTY", "PUT EMPTY", "DELETE EMPTY"})
    void whatCanBeSentOnceMoreTakesAnIdleOne(String request) throws IOException {
        assertThat(connections(request)).isEqualTo(1);
    }

    /** The number of connections that a GET and the following request take. */
    private static int connections(String request) throws IOException {
        String[] parts = request.split(" ", 2);
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        Http.Message message = Http.read(peer);
                        peer.send("HTTP/1.1 204 No Content\r\nX: "
                                + message.head().split(" ", 2)[0] + "\r\n\r\n");
                    }
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            exchange(client, get(origin.target()));
            String body = switch (parts[1]) {
                case "CONTENT_LENGTH" -> "Content-Length: 2\r\n\r\nab";
                case "CHUNKED" -> "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
                default -> "Content-Length: 0\r\n\r\n";
            };
            String head = parts[0] + " http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target() + "\r\n";
            assertThat(exchange(client, head + body).head()).contains("\r\nX: " + parts[0] + "\r\n");
            assertThat(exchange(client, get(origin.target())).head()).contains("\r\nX: GET\r\n");
            return origin.accepted();
        }
    }

    // ------------------------------------------------------------------ promises

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPromisedConnectionCarriesPostsToo(Way way) throws IOException {
        try (Origin origin = answering(LONG);
                Proxy proxy = way.start(origin);
                Peer client = proxy.client()) {
            for (int i = 0; i < 20; i++) {
                assertThat(exchange(client, post(origin.target())).body()).isEqualTo("body");
            }
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"timeout=0", "timeout=5, max=0", "max=1", "timeout=\"0\""})
    void aConnectionThatTakesNoMoreIsNotKept(String value) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.send(Http.ok(Http.read(peer).body(), "Keep-Alive: " + value));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 1; i <= 3; i++) {
                assertThat(exchange(client, get(origin.target())).status()).isEqualTo(200);
                assertThat(origin.accepted()).isEqualTo(i);
            }
        }
    }

    /** Apache names what is left, others what there is in all. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aConnectionIsNotUsedBeyondTheNumberOfItsRequests(boolean countsDown) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    for (int i = 1; i <= 4; i++) {
                        peer.send(Http.ok(
                                Http.read(peer).body(), "Keep-Alive: timeout=600, max=" + (countsDown ? 4 - i : 4)));
                    }
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            for (int i = 0; i < 12; i++) {
                String request = i % 2 == 0 ? get(origin.target()) : post(origin.target());
                assertThat(exchange(client, request).status()).isEqualTo(200);
            }
            assertThat(origin.accepted()).isBetween(3, 4);
        }
    }

    @Test
    void aPromiseThatWasBrokenIsNotBelievedForAWhile() throws Exception {
        CountDownLatch breach = new CountDownLatch(1);
        AtomicInteger connections = new AtomicInteger();
        try (Origin origin = Origin.start(peer -> {
                    boolean first = connections.incrementAndGet() == 1;
                    while (true) {
                        peer.send(Http.ok(Http.read(peer).body(), LONG));
                        if (first) {
                            breach.await();
                            return;
                        }
                    }
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            exchange(client, get(origin.target()));
            breach.countDown();
            await().atMost(PATIENCE).until(() -> pool(proxy).evicted(Eviction.PEER_CLOSED) == 1);

            for (int i = 1; i <= 3; i++) {
                assertThat(exchange(client, post(origin.target())).status()).isEqualTo(200);
                assertThat(origin.accepted()).isEqualTo(1 + i);
            }
            for (int i = 0; i < 3; i++) { // where one more try does no harm, the last one is used
                exchange(client, get(origin.target()));
            }
            assertThat(origin.accepted()).isLessThanOrEqualTo(7);
        }
    }

    @Test
    void aPromiseThatIsOverWhileCredentialsAreAskedForIsNoneAnyMore() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger connections = new AtomicInteger();
        try (Origin upstream = Origin.start(peer -> {
                    boolean first = connections.incrementAndGet() == 1;
                    peer.send(Http.ok(Http.read(peer).body(), "Keep-Alive: timeout=1"));
                    if (first) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
                        ended.countDown();
                    } else {
                        peer.readAll();
                    }
                });
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.httpProxyDialer(upstream.target())
                        .authorization(target -> {
                            if (asked.incrementAndGet() > 1) {
                                awaitQuietly(ended);
                            }
                            return "Custom token";
                        })
                        .build()));
                Peer client = proxy.client()) {
            HostPort target = HostPort.parse("web.example:80");
            assertThat(exchange(client, get(target)).status()).isEqualTo(200);

            assertThat(exchange(client, post(target)).status()).isEqualTo(200);
            assertThat(upstream.accepted()).isEqualTo(2);
        }
    }

    /** The proxy can log in anew, so its own login is no reason to send a POST over a connection that may be ending. */
    @Test
    void aPostLeavesTheConnectionThatTheProxyHasLoggedInAtTheNextOne() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        try (Origin upstream = Origin.start(peer -> {
                    boolean first = connections.incrementAndGet() == 1;
                    peer.send(Http.ok(Http.read(peer).body()));
                    if (first) {
                        peer.readHead(); // what comes now comes too late
                    } else {
                        peer.readAll();
                    }
                });
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.httpProxyDialer(upstream.target())
                        .authorization(target -> "Custom token")
                        .build()));
                Peer client = proxy.client()) {
            HostPort target = HostPort.parse("web.example:80");
            assertThat(exchange(client, get(target)).status()).isEqualTo(200);

            assertThat(exchange(client, post(target)).status()).isEqualTo(200);
            assertThat(upstream.accepted()).isEqualTo(2);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError("the engine interrupts no callback", e);
        }
    }

    private static PoolStats pool(Proxy proxy) {
        return proxy.handler().stats().pool();
    }

    // ------------------------------------------------------------------ what that costs

    /**
     * Requests per connection for one client that sends so many GETs to each POST. Without a promise, each POST opens a
     * connection, and the following GETs use that.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 9})
    void connectionsForAMixOfGetsAndPosts(int getsPerPost) throws IOException {
        int rounds = 20;
        int requests = rounds * (getsPerPost + 1);
        for (String promise : List.of("X-Promise: none", LONG)) {
            try (Origin origin = answering(promise);
                    Proxy proxy = Proxy.start();
                    Peer client = proxy.client()) {
                for (int i = 0; i < requests; i++) {
                    String request = i % (getsPerPost + 1) == 0 ? post(origin.target()) : get(origin.target());
                    assertThat(exchange(client, request).status()).isEqualTo(200);
                }
                assertThat(origin.accepted()).isEqualTo(promise.equals(LONG) ? 1 : rounds);
                assertThat(requests / origin.accepted())
                        .as("requests per connection")
                        .isEqualTo(promise.equals(LONG) ? requests : getsPerPost + 1);
                await().atMost(PATIENCE).until(() -> pool(proxy).idle() == 1);
                assertThat(pool(proxy).evicted(Eviction.REPLACED)).isEqualTo(origin.accepted() - 1);
            }
        }
    }

    // ------------------------------------------------------------------ what was no answer

    /** What is left of something else, the last word on an idle connection, or an answer that breaks off. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "the rest of a body that was longer than said",
                "\u0000\u0001\u0002",
                "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\n\r\ntoo late",
                "HTTP/1.1 200 OK\r\nContent-Le",
                "HTT",
                "",
            })
    void aGetThatAnIdleConnectionAnswersSoIsSentOnceMore(String said) throws IOException {
        AtomicInteger connections = new AtomicInteger();
        try (Origin origin = Origin.start(peer -> {
                    boolean first = connections.incrementAndGet() == 1;
                    peer.send(Http.ok(Http.read(peer).head().split(" ", 3)[1]));
                    Http.Message second = Http.read(peer);
                    peer.send(first ? said : Http.ok("second of another"));
                    assertThat(second.head()).startsWith("GET /b ");
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            assertThat(exchange(client, Http.get(origin.target(), "/a")).body()).isEqualTo("/a");

            assertThat(exchange(client, Http.get(origin.target(), "/b")).body()).isEqualTo("/b");
            assertThat(origin.accepted()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"no answer\r\n\r\n", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"})
    void onANewConnectionItIsTheOriginsAnswer(String said) throws IOException {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(said);
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send(get(origin.target()));
            assertThat(client.readHead()).startsWith(said.startsWith("HTTP") ? "HTTP/1.1 408 " : "HTTP/1.1 502 ");
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aPostIsNeverSentTwice() throws IOException {
        AtomicInteger received = new AtomicInteger();
        try (Origin origin = Origin.start(peer -> {
                    Http.read(peer);
                    peer.send(Http.ok("", LONG));
                    Http.read(peer);
                    received.incrementAndGet();
                    peer.send("no answer\r\n\r\n");
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            exchange(client, get(origin.target()));

            assertThat(exchange(client, post(origin.target())).head())
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\nProxy-Status: Broxy; error=http_protocol_error\r\n");
            assertThat(received).hasValue(1);
            assertThat(origin.accepted()).isEqualTo(1);
        }
    }
}
