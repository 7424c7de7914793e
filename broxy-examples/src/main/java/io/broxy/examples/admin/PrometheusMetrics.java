package io.broxy.examples.admin;

import io.broxy.DialException;
import io.broxy.LookUpStats;
import io.broxy.PoolStats;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.TlsOutcome;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * A handler's counters under their Prometheus names. They are read at each scrape.
 *
 * <p>Threading: for one thread; what it makes is thread-safe.
 */
final class PrometheusMetrics {
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Supplier<ProxyStats> stats;

    private PrometheusMetrics(Supplier<ProxyStats> stats) {
        this.stats = stats;
    }

    static PrometheusRegistry of(ServedProxy proxy) {
        PrometheusMetrics metrics = new PrometheusMetrics(proxy.handler()::stats);
        metrics.addClients();
        metrics.addTls();
        metrics.addFailures();
        metrics.addLookUps();
        metrics.addPool();
        return metrics.registry;
    }

    private void addClients() {
        gauge("broxy_connections_open", "Client connections being served", ProxyStats::openConnections);
        counter("broxy_connections_total", "Client connections accepted", ProxyStats::totalConnections);
        gauge("broxy_tunnels_open", "Tunnels being established or relaying", ProxyStats::openTunnels);
        counter("broxy_tunnels_established_total", "Tunnels established", ProxyStats::establishedTunnels);
        gauge("broxy_exchanges_open", "Requests being forwarded", ProxyStats::openExchanges);
        counter("broxy_exchanges_total", "Forwarded requests that have ended", ProxyStats::totalExchanges);
        CounterWithCallback.builder()
                .name("broxy_bytes_total")
                .help("Bytes passed on by tunnels so far, and by exchanges that have ended")
                .labelNames("direction")
                .callback(counter -> {
                    ProxyStats now = stats.get();
                    counter.call((double) now.bytesToOrigin(), "to_origin");
                    counter.call((double) now.bytesToClient(), "to_client");
                })
                .register(registry);
    }

    private void addTls() {
        gauge("broxy_tls_handshakes_open", "TLS handshakes of clients under way", ProxyStats::openTlsHandshakes);
        CounterWithCallback.builder()
                .name("broxy_tls_handshakes_total")
                .help("TLS handshakes of clients that have ended")
                .labelNames("outcome")
                .callback(counter -> {
                    ProxyStats now = stats.get();
                    for (TlsOutcome outcome : TlsOutcome.values()) {
                        counter.call((double) now.tlsHandshakes(outcome), label(outcome));
                    }
                })
                .register(registry);
    }

    private void addFailures() {
        CounterWithCallback.builder()
                .name("broxy_requests_refused_total")
                .help("Requests refused before a connection was dialed")
                .labelNames("reason")
                .callback(counter -> {
                    ProxyStats now = stats.get();
                    for (RefusedException.Reason reason : RefusedException.Reason.values()) {
                        counter.call((double) now.refused(reason), label(reason));
                    }
                })
                .register(registry);
        CounterWithCallback.builder()
                .name("broxy_dial_failures_total")
                .help("Requests whose target could not be dialed")
                .labelNames("reason")
                .callback(counter -> {
                    ProxyStats now = stats.get();
                    for (DialException.Reason reason : DialException.Reason.values()) {
                        counter.call((double) now.dialFailures(reason), label(reason));
                    }
                })
                .register(registry);
        counter("broxy_events_dropped_total", "Access log lines dropped", ProxyStats::droppedEvents);
    }

    private void addLookUps() {
        GaugeWithCallback.builder()
                .name("broxy_look_ups")
                .help("Name lookups")
                .labelNames("state")
                .callback(gauge -> {
                    LookUpStats now = stats.get().lookUps();
                    gauge.call(now.waiting(), "waiting");
                    gauge.call(now.running(), "running");
                    gauge.call(now.abandoned(), "abandoned");
                })
                .register(registry);
    }

    private void addPool() {
        GaugeWithCallback.builder()
                .name("broxy_pool_connections")
                .help("Connections of the pool for forwarded requests")
                .labelNames("state")
                .callback(gauge -> {
                    PoolStats now = stats.get().pool();
                    gauge.call(now.idle(), "idle");
                    gauge.call(now.leased(), "leased");
                    gauge.call(now.opening(), "opening");
                })
                .register(registry);
        gauge(
                "broxy_pool_waiting",
                "Requests that wait for the pool's caps",
                now -> now.pool().waiting());
        counter(
                "broxy_pool_created_total",
                "Connections opened by the pool",
                now -> now.pool().created());
        counter(
                "broxy_pool_reused_total",
                "Requests served with an idle connection",
                now -> now.pool().reused());
        CounterWithCallback.builder()
                .name("broxy_pool_evicted_total")
                .help("Connections closed by the pool")
                .labelNames("cause")
                .callback(counter -> {
                    PoolStats now = stats.get().pool();
                    for (PoolStats.Eviction cause : PoolStats.Eviction.values()) {
                        counter.call((double) now.evicted(cause), label(cause));
                    }
                })
                .register(registry);
    }

    private void counter(String name, String help, ToLongFunction<ProxyStats> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(counter -> counter.call((double) value.applyAsLong(stats.get())))
                .register(registry);
    }

    private void gauge(String name, String help, ToLongFunction<ProxyStats> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(gauge -> gauge.call((double) value.applyAsLong(stats.get())))
                .register(registry);
    }

    private static String label(Enum<?> reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }
}
