package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.FilterRequest;
import io.broxy.LocalResponse;
import io.broxy.RefusedException.Reason;
import io.broxy.RequestDecision;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies request filters that may block: off the event loops, for a limited time, and as the other kind otherwise. */
@ExtendWith(LeakCheck.class)
class BlockingFilterTest {
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    /** Waits until the test lets it decide. */
    private RequestDecision whenReleased(FilterRequest request) throws InterruptedException {
        asked.countDown();
        assertThat(released.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        return RequestDecision.pass();
    }

    private void awaitAsked() throws InterruptedException {
        assertThat(asked.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    }

    private static RequestDecision onCallbackThread(FilterRequest request) {
        String thread = Thread.currentThread().getName();
        return thread.startsWith("broxy-callback-")
                ? RequestDecision.pass().set("X-Gate", "7")
                : RequestDecision.refuse(500, "on " + thread);
    }

    @Test
    void itRunsOnTheCallbackExecutor() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    for (int i = 0; i < 3; i++) {
                        assertThat(Http.read(peer).head()).contains("\r\nX-Gate: 7\r\n");
                        peer.send(Http.ok("welcome"));
                    }
                    peer.expectEnd();
                });
                Proxy proxy =
                        Proxy.start(settings -> settings.blockingRequestFilter(BlockingFilterTest::onCallbackThread));
                Peer client = proxy.client()) {
            client.send(Http.get(origin.target(), "/") + Http.get(origin.target(), "/pipelined"));
            assertThat(Http.read(client).body()).isEqualTo("welcome");
            assertThat(Http.read(client).body()).isEqualTo("welcome");
            client.send(Http.post(origin.target(), "/", "body"));
            assertThat(Http.read(client).body()).isEqualTo("welcome");
        }
    }

    @Test
    void bytesAfterAConnectWaitForIt() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.blockingRequestFilter(this::whenReleased));
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(origin.target()) + "early");
            awaitAsked();
            client.send(" and late");
            assertThat(origin.accepted()).isZero();
            released.countDown();

            assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
            assertThat(client.readText(14)).isEqualTo("early and late");
        }
    }

    @Test
    void itMayAnswer() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.blockingRequestFilter(
                        r -> RequestDecision.answer(LocalResponse.of(200, "text/plain", "from here"))));
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                client.send(Http.get(origin.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("from here");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT", "HEAD", "GET"})
    void oneThatTakesTooLongRefuses(String method) throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings ->
                        settings.blockingRequestFilter(this::whenReleased).filterTimeout(Duration.ofMillis(50)));
                Peer client = proxy.client()) {
            client.send(
                    method.equals("CONNECT")
                            ? Proxy.connectHead(origin.target())
                            : Http.request(method, origin.target(), "/"));

            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                    .contains("\r\nProxy-Status: Broxy; error=http_request_denied\r\n");
            assertThat(client.readAll())
                    .isEqualTo(method.equals("HEAD") ? "" : "503 the request could not be filtered in time\n");
            released.countDown();
            assertThat(origin.accepted()).isZero();
            client.close(); // else its connection lingers
            awaitRefused(proxy, 1);
            assertThat(log.text()).contains("a request filter did not decide within 50 ms");
        } finally {
            released.countDown();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientMayGoMeanwhile(boolean tunnel) throws Exception {
        try (Origin origin = Origin.discard();
                Proxy proxy = Proxy.start(settings -> settings.blockingRequestFilter(this::whenReleased));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(tunnel ? Proxy.connectHead(origin.target()) : Http.get(origin.target(), "/"));
            awaitAsked();
            accepted.client().reset();
            released.countDown();

            assertThat(result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS).reason())
                    .isIn(CloseReason.CLIENT_GONE, CloseReason.CLIENT_RESET); // a tunnel may be open by then
        }
    }

    @Test
    void aClosedConnectionNeedsNoDecision() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.blockingRequestFilter(this::whenReleased));
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(origin.target()));
            awaitAsked();
            assertThat(proxy.handler().drain(Duration.ZERO)).isTrue();
            client.expectReset();
            released.countDown();

            assertThat(origin.accepted()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT", "GET", "ANSWER"})
    void aDrainThatBeginsMeanwhileRefuses(String method) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.blockingRequestFilter(this::answerOrWait));
                Peer running = proxy.connect(origin.target()); // for which the drain waits
                Peer idle = proxy.client();
                Peer client = proxy.client()) {
            idle.send(Http.get(origin.target(), "/"));
            assertThat(Http.read(idle).body()).isEqualTo("from here");
            client.send(Http.request(method, origin.target(), "/", "X-Wait: y")
                    .replace("CONNECT http://" + origin.target() + "/", "CONNECT " + origin.target()));
            awaitAsked();
            CompletableFuture<Boolean> drain =
                    Background.supply(() -> proxy.handler().drain(Duration.ofMillis(Peer.PATIENCE_MILLIS)));
            idle.expectEnd(); // as the drain has begun
            released.countDown();

            assertThat(client.readAll()).startsWith("HTTP/1.1 503 ").endsWith("503 the proxy takes no new tunnels\n");
            running.shutdownOutput().expectEnd();
            assertThat(drain.get()).isTrue();
        }
    }

    private RequestDecision answerOrWait(FilterRequest request) throws InterruptedException {
        RequestDecision pass = request.field("X-Wait") == null ? RequestDecision.pass() : whenReleased(request);
        return request.isTunnel() || (request.method().equals("GET") && request.field("X-Wait") != null)
                ? pass
                : RequestDecision.answer(LocalResponse.of(200, "text/plain", "from here"));
    }

    /** A refusal counts when its connection has ended. */
    private static void awaitRefused(Proxy proxy, int count) {
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> proxy.handler().stats().refused(Reason.FILTERED) == count);
    }
}
