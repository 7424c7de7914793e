package io.broxy.examples.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.HostPort;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies a handler's meters as Prometheus scrapes them from Micrometer's registry. */
@ExtendWith(LeakCheck.class)
class BroxyMetricsTest {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @AfterEach
    void close() {
        registry.close();
    }

    private void bind(Proxy proxy, String name) {
        new BroxyMetrics(proxy.handler(), Tags.of("handler", name)).bindTo(registry);
    }

    private static void tunnel(Proxy proxy) throws Exception {
        try (Origin origin = Origin.start(client -> client.send("hello"));
                Peer client = proxy.connect(HostPort.of("127.0.0.1", origin.port()))) {
            assertThat(client.readAll()).isEqualTo("hello");
        }
    }

    @Test
    void countersGaugesAndTimesAreScraped() throws Exception {
        try (Proxy proxy = Proxy.start();
                HeldPort port = HeldPort.open()) {
            bind(proxy, "public");
            tunnel(proxy);
            try (Peer client = proxy.client()) {
                client.send(Proxy.connectHead(HostPort.of("127.0.0.1", port.port())));
                assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            }

            await().until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(registry.scrape().lines())
                    .contains(
                            "broxy_connections_open{handler=\"public\"} 0.0",
                            "broxy_connections_total{handler=\"public\"} 2.0",
                            "broxy_tunnels_open{handler=\"public\"} 0.0",
                            "broxy_tunnels_established_total{handler=\"public\"} 1.0",
                            "broxy_bytes_total{direction=\"to_client\",handler=\"public\"} 5.0",
                            "broxy_dial_failures_total{handler=\"public\",reason=\"refused\"} 1.0",
                            "broxy_requests_refused_total{handler=\"public\",reason=\"access_denied\"} 0.0",
                            "broxy_dial_duration_seconds_count{handler=\"public\"} 1",
                            "broxy_tunnel_duration_seconds_count{handler=\"public\"} 1",
                            "broxy_response_duration_seconds_count{handler=\"public\"} 0",
                            "broxy_dial_duration_histogram_total{handler=\"public\",le=\"300.0\"} 1.0",
                            "broxy_dial_duration_histogram_total{handler=\"public\",le=\"+Inf\"} 1.0",
                            "# TYPE broxy_connections_total counter",
                            "# TYPE broxy_connections_open gauge");
        }
    }

    @Test
    void aTimeIsWithinItsBoundsAndAllAboveIt() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            bind(proxy, "public");
            tunnel(proxy);

            await().until(() -> proxy.handler().stats().tunnelDurations().count() == 1);
            double sum = registry.get("broxy.tunnel.duration").functionTimer().totalTime(TimeUnit.SECONDS);
            assertThat(sum).isPositive();
            for (Duration bound : BroxyMetrics.BOUNDS) {
                double within = registry.get("broxy.tunnel.duration.histogram")
                        .tag("le", Double.toString(bound.toMillis() / 1000.0))
                        .functionCounter()
                        .count();
                assertThat(within).as("within %s of %s s", bound, sum).isEqualTo(sum <= bound.toNanos() / 1e9 ? 1 : 0);
            }
        }
    }

    @Test
    void severalHandlersDifferByTheirTags() throws Exception {
        try (Proxy one = Proxy.start();
                Proxy other = Proxy.start()) {
            bind(one, "one");
            bind(other, "other");
            tunnel(one);

            assertThat(registry.scrape().lines())
                    .contains(
                            "broxy_tunnels_established_total{handler=\"one\"} 1.0",
                            "broxy_tunnels_established_total{handler=\"other\"} 0.0");
        }
    }

    @Test
    void countersNeverGoBack() throws Exception {
        Proxy proxy = Proxy.start();
        bind(proxy, "public");
        tunnel(proxy);
        proxy.close();

        assertThat(registry.get("broxy.tunnels.established").functionCounter().count())
                .isEqualTo(1);
        assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
    }
}
