package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.ClientHandle;
import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.HostPort;
import io.broxy.ProxyStats;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how client connections with plain HTTP end, and what is counted of them. */
@ExtendWith(LeakCheck.class)
class ForwardingEndsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private final CountDownLatch atOrigin = new CountDownLatch(1);
    private final CountDownLatch originEnded = new CountDownLatch(1);

    private static void pass(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    }

    private static ConnectionResult end(CompletableFuture<ConnectionResult> result) throws Exception {
        return result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    // ------------------------------------------------------------------ clients that go

    /** An origin that never answers. */
    private Origin silent() throws IOException {
        return Origin.start(peer -> {
            peer.readHead();
            atOrigin.countDown();
            peer.readAll();
            originEnded.countDown();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"waiting", "sending", "reading"})
    void aClientThatIsResetEndsItsExchange(String when) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    if (when.equals("reading")) {
                        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
                    }
                    atOrigin.countDown();
                    try {
                        peer.readAll();
                    } finally {
                        originEnded.countDown();
                    }
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(
                    when.equals("sending")
                            ? Http.request("POST", origin.target(), "/", "Content-Length: 100") + "part"
                            : Http.get(origin.target(), "/"));
            pass(atOrigin);
            if (when.equals("reading")) {
                client.readHead();
            }

            client.reset();

            pass(originEnded);
            assertThat(end(result).reason()).isEqualTo(CloseReason.CLIENT_GONE);
            assertThat(end(result).exchanges()).isEqualTo(1);
            assertThat(proxy.handler().stats().openExchanges()).isZero();
        }
    }

    @Test
    void aRequestThatItsClientDoesNotFinishIsNoWholeOneForTheOrigin() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    atOrigin.countDown();
                    peer.expectReset();
                    originEnded.countDown();
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(Http.request("POST", origin.target(), "/", "Content-Length: 100") + "part");
            pass(atOrigin);

            accepted.client().shutdownOutput();

            pass(originEnded);
            assertThat(end(result).reason()).isEqualTo(CloseReason.CLIENT_GONE);
        }
    }

    @Test
    void aClientThatIsResetEndsTheDial() throws Exception {
        try (BlackHole hole = BlackHole.open();
                Proxy proxy = Proxy.start(settings -> settings.dialTimeout(Duration.ofHours(1)));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(Http.get(hole.target(), "/"));
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openExchanges() == 1);

            accepted.client().reset();

            assertThat(end(result).reason()).isEqualTo(CloseReason.CLIENT_GONE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"an exchange", "an own answer"})
    void aClientThatEndsBetweenRequestsHasFinished(String behind) throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(
                    behind.equals("an exchange")
                            ? Http.get(origin.target(), "/")
                            : Http.request("OPTIONS", origin.target(), "/", "Max-Forwards: 0"));
            assertThat(Http.read(client).status()).isEqualTo(200);

            client.close();

            assertThat(end(result).reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(end(result).exchanges()).isEqualTo(behind.equals("an exchange") ? 1 : 0);
            assertThat(end(result).tunnel()).isNull();
            assertThat(end(result).cause()).isNull();
            assertThat(end(result).duration()).isPositive();
        }
    }

    @Test
    void closingTheHandleEndsTheExchange() throws Exception {
        try (Origin origin = silent();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            ClientHandle connection = proxy.handler().handle(accepted.end());
            accepted.client().send(Http.get(origin.target(), "/"));
            pass(atOrigin);

            connection.close();

            accepted.client().expectReset();
            pass(originEnded);
            assertThat(connection.join().reason()).isEqualTo(CloseReason.CLOSED);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
        }
    }

    @Test
    void aConnectionMayBecomeATunnelAfterItsExchanges() throws Exception {
        try (Origin origin = Http.echo();
                Origin echo = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Http.get(origin.target(), "/") + Proxy.connectHead(echo.target()) + "early");

            assertThat(Http.read(client).body()).isEqualTo("GET / ");
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readText(5)).isEqualTo("early");
            client.shutdownOutput().expectEnd();
            assertThat(end(result).exchanges()).isEqualTo(1);
            assertThat(end(result).tunnel())
                    .isNotNull()
                    .extracting(TunnelResult::bytesToOrigin)
                    .isEqualTo(5L);
        }
    }

    // ------------------------------------------------------------------ drain

    @Test
    void aDrainWaitsForTheResponseWhichSaysThatItIsTheLast() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    atOrigin.countDown();
                    pass(answer);
                    peer.send(Http.ok("last"));
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel();
                Accepted<SocketChannel> other = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            CompletableFuture<ConnectionResult> idle =
                    proxy.handler().handle(other.end()).completion();
            try (Origin echo = Http.echo()) {
                other.client().send(Http.get(echo.target(), "/"));
                assertThat(Http.read(other.client()).status()).isEqualTo(200);
            }
            accepted.client().send(Http.get(origin.target(), "/"));
            pass(atOrigin);
            CompletableFuture<Boolean> drained =
                    Background.supply(() -> proxy.handler().drain(PATIENCE));

            other.client().expectEnd(); // let go at once
            assertThat(end(idle).reason()).isEqualTo(CloseReason.DRAINED);
            try (Peer late = proxy.client()) {
                late.send(Http.get(origin.target(), "/"));
                assertThat(Http.read(late).head())
                        .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                        .contains("\r\nConnection: close\r\n");
            }
            assertThat(drained).isNotDone();
            answer.countDown();

            Http.Message last = Http.read(accepted.client());
            assertThat(last.head()).contains("\r\nConnection: close\r\n");
            assertThat(last.body()).isEqualTo("last");
            accepted.client().expectEnd();
            assertThat(drained.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            accepted.client().close();
            assertThat(end(result).reason()).isEqualTo(CloseReason.FINISHED);
        }
    }

    @Test
    void aClientIsLetGoAfterAResponseThatADrainMetInTheMiddle() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
                    pass(goOn);
                    peer.send("other");
                    peer.expectEnd();
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel();
                Accepted<SocketChannel> other = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(Http.get(origin.target(), "/"));
            assertThat(accepted.client().readHead()).doesNotContain("Connection");
            assertThat(accepted.client().readText(5)).isEqualTo("first");
            proxy.handler().handle(other.end());
            other.client().send(Http.request("OPTIONS", origin.target(), "/", "Max-Forwards: 0"));
            assertThat(Http.read(other.client()).status()).isEqualTo(200);
            CompletableFuture<Boolean> drained =
                    Background.supply(() -> proxy.handler().drain(PATIENCE));
            other.client().expectEnd(); // so the drain has begun
            goOn.countDown();

            assertThat(accepted.client().readText(5)).isEqualTo("other");
            accepted.client().expectEnd();
            accepted.client().close();
            assertThat(drained.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            assertThat(end(result).reason()).isEqualTo(CloseReason.DRAINED);
        }
    }

    @Test
    void whatIsStillForwardedAtTheEndOfADrainIsReset() throws Exception {
        try (Origin origin = silent();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(Http.get(origin.target(), "/"));
            pass(atOrigin);

            assertThat(proxy.handler().drain(Duration.ofMillis(1))).isFalse();

            accepted.client().expectReset();
            pass(originEnded);
            assertThat(end(result).reason()).isEqualTo(CloseReason.DRAINED);
            assertThat(end(result).exchanges()).isEqualTo(1);
        }
    }

    @Test
    void closingTheEngineEndsEveryExchange() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    atOrigin.countDown();
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(Http.get(origin.target(), "/"));
            pass(atOrigin);

            proxy.close();

            accepted.client().expectReset();
            assertThat(end(result).reason()).isEqualTo(CloseReason.CLOSED);
            assertThat(proxy.handler().stats().openExchanges()).isZero();
        }
    }

    // ------------------------------------------------------------------ counting

    @Test
    void theCountersAddUp() throws Exception {
        HostPort nobody = HeldPort.refusing();
        try (Origin origin = Origin.start(peer -> {
                    for (int i = 0; i < 2; i++) {
                        Http.read(peer);
                        peer.send(Http.ok("12345", "Keep-Alive: timeout=600"));
                    }
                    peer.readHead(); // and gives no response
                });
                Proxy proxy = Proxy.start(settings -> settings.viaPseudonym(null));
                Accepted<SocketChannel> accepted = Accepted.channel();
                Accepted<SocketChannel> other = Accepted.channel();
                Accepted<SocketChannel> third = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Http.get(origin.target(), "/") + Http.post(origin.target(), "/", "1234567"));
            Http.Message first = Http.read(client);
            Http.read(client);
            client.send(Http.post(origin.target(), "/", "")); // over a connection that is dead
            assertThat(Http.read(client).status()).isEqualTo(502);
            client.send(Http.get(nobody, "/"));
            assertThat(Http.read(client).status()).isEqualTo(502);
            client.close();
            assertThat(end(result).reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(end(result).exchanges()).isEqualTo(4);

            CompletableFuture<ConnectionResult> closing =
                    proxy.handler().handle(other.end()).completion();
            other.client().send(Http.get(nobody, "/", "Connection: close"));
            assertThat(Http.read(other.client()).status()).isEqualTo(502);
            other.client().close();
            assertThat(end(closing).reason()).isEqualTo(CloseReason.DIAL_FAILED);

            CompletableFuture<ConnectionResult> refused =
                    proxy.handler().handle(third.end()).completion();
            third.client().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(Http.read(third.client()).status()).isEqualTo(400);
            third.client().close();
            assertThat(end(refused).exchanges()).isZero();

            ProxyStats stats = proxy.handler().stats();
            assertThat(stats.totalConnections()).isEqualTo(3);
            assertThat(stats.openConnections()).isZero();
            assertThat(stats.totalExchanges()).isEqualTo(5);
            assertThat(stats.openExchanges()).isZero();
            assertThat(stats.dialFailures()).isEqualTo(2);
            assertThat(stats.refused()).isEqualTo(1);
            assertThat(stats.openTunnels() + stats.establishedTunnels()).isZero();
            assertThat(stats.bytesToClient()).isEqualTo(2L * (first.head().length() + 5));
            int withoutUri = ("http://" + origin.target()).length();
            assertThat(stats.bytesToOrigin())
                    .isEqualTo(Http.get(origin.target(), "/").length()
                            + Http.post(origin.target(), "/", "1234567").length()
                            + Http.post(origin.target(), "/", "").length()
                            - 3L * withoutUri);
        }
    }
}
