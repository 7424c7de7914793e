package io.broxy.core.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.OriginException;
import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies the timeouts of a forwarded exchange. The timeout under test is short; all others are the longest
 * possible.
 */
@ExtendWith(LeakCheck.class)
class ForwardingTimeoutsTest {
    private static final Duration SHORT = Duration.ofMillis(500);
    private static final Duration LONG = Duration.ofHours(1);

    private static Proxy proxy(Consumer<ProxyHandler.Builder> settings) throws IOException {
        return Proxy.start(builder -> settings.accept(builder.headTimeout(LONG)
                .responseTimeout(LONG)
                .bodyTimeout(LONG)
                .keepAliveTimeout(LONG)));
    }

    private static ConnectionResult end(CompletableFuture<ConnectionResult> result) throws Exception {
        return result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSilentOriginIsAGatewayTimeout(boolean onAUsedConnection) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    if (onAUsedConnection) {
                        peer.readHead();
                        peer.send(Http.ok("first", "Keep-Alive: timeout=600"));
                    }
                    assertThat(Http.read(peer).body()).isEqualTo("body");
                    peer.readAll(); // to the proxy's end
                });
                Proxy proxy = proxy(settings -> settings.responseTimeout(SHORT));
                Peer client = proxy.client()) {
            if (onAUsedConnection) {
                client.send(Http.get(origin.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("first");
            }
            client.send(Http.post(origin.target(), "/", "body"));

            Http.Message answer = Http.read(client);
            assertThat(answer.head())
                    .startsWith("HTTP/1.1 504 Gateway Timeout\r\nProxy-Status: Broxy; error=http_response_timeout\r\n")
                    .doesNotContain("Connection: close");
            try (Origin other = Http.echo()) { // the request was read, so the next may come
                client.send(Http.get(other.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("GET / ");
            }
        }
    }

    @Test
    void interimResponsesStartTheTimeAnew() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
                    peer.readAll();
                });
                Proxy proxy = proxy(settings -> settings.responseTimeout(SHORT));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead()).startsWith("HTTP/1.1 103 ");
            assertThat(Http.read(client).status()).isEqualTo(504);
        }
    }

    @Test
    void aBodyThatStopsIsARequestTimeoutAndNoWholeRequestForTheOrigin() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.expectReset();
                    reset.countDown();
                });
                Proxy proxy = proxy(settings -> settings.bodyTimeout(SHORT));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Http.request("POST", origin.target(), "/", "Content-Length: 5") + "body");

            assertThat(Http.read(client).head())
                    .startsWith("HTTP/1.1 408 Request Timeout\r\n")
                    .contains("Connection: close\r\n");
            client.expectEnd();
            client.close();
            assertThat(reset.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
            assertThat(end(result).reason()).isEqualTo(CloseReason.REFUSED);
            assertThat(end(result).cause())
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refusal -> assertThat(refusal.reason()).isEqualTo(RefusedException.Reason.BODY_TIMEOUT));
            assertThat(proxy.handler().stats().totalExchanges()).isEqualTo(1);
            assertThat(proxy.handler().stats().refused())
                    .as("requests refused before anything was dialed")
                    .isZero();
        }
    }

    @Test
    void anOriginThatTakesNoBodyIsAGatewayTimeout() throws Exception {
        byte[] body = new byte[32 << 20]; // more than all buffers of the way take
        CountDownLatch over = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    over.await();
                });
                Proxy proxy = proxy(settings -> settings.bodyTimeout(Duration.ofMillis(300)));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            accepted.end().setOption(StandardSocketOptions.SO_RCVBUF, 512 << 10); // else it may grow to take all
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Http.request("POST", origin.target(), "/", "Content-Length: " + body.length));
            CompletableFuture<?> sending = CompletableFuture.runAsync(() -> {
                try {
                    client.send(body);
                } catch (IOException e) {
                    // it need not go out
                }
            });

            assertThat(client.readHead()).startsWith("HTTP/1.1 504 Gateway Timeout\r\n");
            client.close();
            sending.join();
            over.countDown();
            assertThat(end(result).cause())
                    .isInstanceOfSatisfying(
                            OriginException.class,
                            failure -> assertThat(failure.reason()).isEqualTo(OriginException.Reason.TIMEOUT));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Content-Length: 10\r\n\r\npart", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", "\r\npart"})
    void aResponseThatStopsIsCut(String response) throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\n" + response);
                    peer.readAll();
                });
                Proxy proxy = proxy(settings -> settings.bodyTimeout(SHORT));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(Http.get(origin.target(), "/"));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            if (response.startsWith("\r\n")) {
                client.expectReset();
            } else {
                assertThat(client.readAll()).isIn("part", "4\r\npart\r\n");
            }
            client.close();
            assertThat(end(result).reason()).isEqualTo(CloseReason.IDLE);
            assertThat(end(result).exchanges()).isEqualTo(1);
        }
    }

    @Test
    void aClientThatDoesNotReadItsResponseIsLetGo() throws Exception {
        CountDownLatch stopped = new CountDownLatch(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + (64 << 20) + "\r\n\r\n");
                    try {
                        peer.send(new byte[64 << 20]);
                    } finally {
                        stopped.countDown();
                    }
                });
                Proxy proxy = proxy(settings -> settings.bodyTimeout(Duration.ofMillis(300)));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(Http.get(origin.target(), "/"));

            assertThat(stopped.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            accepted.client().close();
            assertThat(end(result).reason()).isEqualTo(CloseReason.IDLE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"an exchange", "an own answer"})
    void betweenRequestsAnIdleClientIsLetGo(String behind) throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy(settings -> settings.keepAliveTimeout(SHORT));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(
                    behind.equals("an exchange")
                            ? Http.get(origin.target(), "/")
                            : Http.request("OPTIONS", origin.target(), "/", "Max-Forwards: 0"));
            assertThat(Http.read(client).status()).isEqualTo(200);

            client.expectEnd(); // without a word
            assertThat(end(result).reason()).isEqualTo(CloseReason.IDLE);
            assertThat(end(result).cause()).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"an exchange", "an own answer"})
    void theHeadOfAFurtherRequestHasTheTimeOfTheFirst(String behind) throws Exception {
        try (Origin origin = Http.echo();
                Proxy proxy = proxy(settings -> settings.headTimeout(Duration.ofMillis(300)));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            Peer client = accepted.client();
            client.send(
                    behind.equals("an exchange")
                            ? Http.get(origin.target(), "/")
                            : Http.request("OPTIONS", origin.target(), "/", "Max-Forwards: 0"));
            assertThat(Http.read(client).status()).isEqualTo(200);
            client.send("GET http://");

            assertThat(Http.read(client).status()).isEqualTo(408);
            client.expectEnd();
            client.close();
            assertThat(end(result).reason()).isEqualTo(CloseReason.REFUSED);
        }
    }
}
