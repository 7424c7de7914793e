package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.DurationHistogram;
import io.broxy.LocalResponse;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.ProxyStats;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies which dials, tunnels and responses a handler's distributions of times count, and from when to when. */
@ExtendWith(LeakCheck.class)
class LatencyStatsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    /** Dials directly, and notes how long that took. Threading: thread-safe. */
    private record Timed(DirectDialer direct, List<Long> nanos) implements Dialer {
        @Override
        public Connection dial(DialRequest request) throws DialException {
            long start = System.nanoTime();
            Connection connection = direct.dial(request);
            nanos.add(System.nanoTime() - start);
            return connection;
        }
    }

    private static ProxyStats after(ProxyHandler handler, long connections) {
        await().atMost(PATIENCE)
                .until(() -> handler.stats().totalConnections() == connections
                        && handler.stats().openConnections() == 0);
        return handler.stats();
    }

    @Test
    void aTunnelHasADialTimeAndADuration() throws Exception {
        List<Long> dials = new CopyOnWriteArrayList<>();
        List<TunnelResult> results = new CopyOnWriteArrayList<>();
        long start = System.nanoTime();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(
                                new Timed(broxy.directDialer().build(), dials))
                        .listener(new ProxyListener() {
                            @Override
                            public void tunnelEnded(Request request, TunnelResult result) {
                                results.add(result);
                            }
                        }))) {
            try (Peer client = proxy.connect(origin.target())) {
                client.send("hello").readText(5);
                assertThat(proxy.handler().stats().dialTimes().count()).isEqualTo(1);
                assertThat(proxy.handler().stats().tunnelDurations().count())
                        .as("it runs")
                        .isZero();
            }
            ProxyStats stats = after(proxy.handler(), 1);
            Duration all = Duration.ofNanos(System.nanoTime() - start);

            assertThat(stats.dialTimes().sum()).isBetween(sum(dials).minusNanos(1_000), all);
            assertThat(stats.responseTimes().count()).isZero();
            await().atMost(PATIENCE).until(() -> results.size() == 1);
            Duration duration = results.get(0).duration();
            assertThat(stats.tunnelDurations().count()).isEqualTo(1);
            assertThat(stats.tunnelDurations().max()).isEqualTo(duration);
        }
    }

    private static Duration sum(List<Long> nanos) {
        return Duration.ofNanos(nanos.stream().mapToLong(Long::longValue).sum());
    }

    @Test
    void aFailedDialIsNoDialTimeAndItsTunnelHasNoDuration() throws Exception {
        try (Proxy proxy = Proxy.start();
                Peer client = proxy.client().send(Proxy.connectHead(HeldPort.refusing()))) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            client.close();
            ProxyStats stats = after(proxy.handler(), 1);
            assertThat(stats.dialFailures()).isEqualTo(1);
            assertThat(stats.dialTimes().count()).isZero();
            assertThat(stats.tunnelDurations().count()).isZero();
        }
    }

    @Test
    void eachForwardedRequestHasAResponseTimeAndOnlyANewConnectionADialTime() throws Exception {
        List<Long> dials = new CopyOnWriteArrayList<>();
        try (Origin origin = Http.echo();
                Proxy proxy = Proxy.start((broxy, settings) ->
                        settings.dialer(new Timed(broxy.directDialer().build(), dials)));
                Peer client = proxy.client()) {
            for (int i = 1; i <= 3; i++) {
                long start = System.nanoTime();
                client.send(Http.get(origin.target(), "/"));
                assertThat(Http.read(client).status()).isEqualTo(200);
                Duration most = Duration.ofNanos(System.nanoTime() - start);

                DurationHistogram responses = proxy.handler().stats().responseTimes();
                assertThat(responses.count()).isEqualTo(i);
                if (i == 1) {
                    assertThat(responses.sum()).isBetween(sum(dials), most);
                }
            }
            assertThat(dials).hasSize(1);
            DurationHistogram times = proxy.handler().stats().dialTimes();
            assertThat(times.count()).isEqualTo(1);
            assertThat(times.max()).isGreaterThanOrEqualTo(sum(dials));
        }
    }

    @Test
    void aResponseOfTheProxyItselfHasNoResponseTime() throws Exception {
        try (Proxy proxy = Proxy.start(
                        settings -> settings.localRequests(request -> LocalResponse.of(200, "text/plain", "here")));
                Peer client = proxy.client()) {
            client.send("GET /healthz HTTP/1.1\r\nHost: proxy\r\n\r\n");
            assertThat(Http.read(client).status()).isEqualTo(200);
            client.send(Http.get(HeldPort.refusing(), "/"));
            assertThat(Http.read(client).status()).isEqualTo(502);
            assertThat(proxy.handler().stats().responseTimes().count()).isZero();
        }
    }

    @Test
    void theFiguresStayWhenTheHandlerIsClosed() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            client.send("hello").readText(5);
            assertThat(proxy.handler().drain(Duration.ofMillis(1))).isFalse();
            proxy.handler().close();
            ProxyStats stats = after(proxy.handler(), 1);
            assertThat(stats.dialTimes().count()).isEqualTo(1);
            assertThat(stats.tunnelDurations().count())
                    .as(CloseReason.DRAINED.name())
                    .isEqualTo(1);
            assertThat(stats.tunnelDurations().minus(stats.tunnelDurations()).count())
                    .isZero();
            assertThat(stats.tunnelDurations().quantile(0.5).toNanos())
                    .isLessThanOrEqualTo(TimeUnit.MINUTES.toNanos(1));
        }
    }
}
