package io.broxy.examples.admin;

import io.broxy.DialException;
import io.broxy.EngineStats;
import io.broxy.HopStats;
import io.broxy.LookUpStats;
import io.broxy.PoolStats;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.TlsOutcome;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * A proxy's counters under their Prometheus names. They are read at each scrape.
 *
 * <p>Threading: for one thread; what it makes is thread-safe.
 */
final class PrometheusMetrics {
    private static final double NANOS_PER_SECOND = 1e9;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ServedProxy proxy;

    private PrometheusMetrics(ServedProxy proxy) {
        this.proxy = proxy;
    }

    static PrometheusRegistry of(ServedProxy proxy) {
        PrometheusMetrics metrics = new PrometheusMetrics(proxy);
        metrics.addClients();
        metrics.addTimes();
        metrics.addTls();
        metrics.addFailures();
        metrics.addPool();
        metrics.addUpstreams();
        metrics.addEngine();
        JvmMemory.addTo(metrics.registry);
        return metrics.registry;
    }

    private ProxyStats stats() {
        return proxy.handler().stats();
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
                    ProxyStats now = stats();
                    counter.call((double) now.bytesToOrigin(), "to_origin");
                    counter.call((double) now.bytesToClient(), "to_client");
                })
                .register(registry);
    }

    private void addTimes() {
        registry.register(new DurationMetric(
                "broxy_dial_duration_seconds",
                "How long dials took that opened a connection",
                DurationMetric.SHORT,
                () -> stats().dialTimes()));
        registry.register(new DurationMetric(
                "broxy_response_duration_seconds",
                "How long the responses to forwarded requests took, head to head",
                DurationMetric.SHORT,
                () -> stats().responseTimes()));
        registry.register(new DurationMetric(
                "broxy_tunnel_duration_seconds",
                "How long tunnels were open that have ended",
                DurationMetric.LONG,
                () -> stats().tunnelDurations()));
    }

    private void addTls() {
        gauge("broxy_tls_handshakes_open", "TLS handshakes of clients under way", ProxyStats::openTlsHandshakes);
        CounterWithCallback.builder()
                .name("broxy_tls_handshakes_total")
                .help("TLS handshakes of clients that have ended")
                .labelNames("outcome")
                .callback(counter -> {
                    ProxyStats now = stats();
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
                    ProxyStats now = stats();
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
                    ProxyStats now = stats();
                    for (DialException.Reason reason : DialException.Reason.values()) {
                        counter.call((double) now.dialFailures(reason), label(reason));
                    }
                })
                .register(registry);
        counter("broxy_events_dropped_total", "Access log lines dropped", ProxyStats::droppedEvents);
    }

    private void addPool() {
        GaugeWithCallback.builder()
                .name("broxy_pool_connections")
                .help("Connections of the pool for forwarded requests")
                .labelNames("state")
                .callback(gauge -> {
                    PoolStats now = stats().pool();
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
                    PoolStats now = stats().pool();
                    for (PoolStats.Eviction cause : PoolStats.Eviction.values()) {
                        counter.call((double) now.evicted(cause), label(cause));
                    }
                })
                .register(registry);
    }

    private void addUpstreams() {
        hopCounter("broxy_upstream_uses_total", "Dials and requests that went through the proxy", HopStats::uses);
        hopCounter("broxy_upstream_failures_total", "Those for which the proxy itself failed", HopStats::failures);
        GaugeWithCallback.builder()
                .name("broxy_upstream_penalty_seconds")
                .help("How long the proxy is tried after others")
                .labelNames("upstream")
                .callback(gauge -> {
                    for (UpstreamView each : proxy.upstreams().get()) {
                        HopStats hop = each.stats();
                        if (hop != null) {
                            gauge.call(hop.penaltyLeft().toNanos() / NANOS_PER_SECOND, each.name());
                        }
                    }
                })
                .register(registry);
    }

    private void addEngine() {
        GaugeWithCallback.builder()
                .name("broxy_look_ups")
                .help("Name lookups")
                .labelNames("state")
                .callback(gauge -> {
                    LookUpStats now = stats().lookUps();
                    gauge.call(now.waiting(), "waiting");
                    gauge.call(now.running(), "running");
                    gauge.call(now.abandoned(), "abandoned");
                })
                .register(registry);
        CounterWithCallback.builder()
                .name("broxy_event_loop_busy_seconds_total")
                .help("How long the event loop has worked")
                .labelNames("loop")
                .callback(counter -> {
                    for (EngineStats.Loop loop : proxy.broxy().stats().loops()) {
                        counter.call(loop.busy().toNanos() / NANOS_PER_SECOND, loop.name());
                    }
                })
                .register(registry);
        loopGauge(
                "broxy_event_loop_clients", "Client connections assigned to the event loop", EngineStats.Loop::clients);
        loopGauge("broxy_event_loop_channels", "Sockets registered with the event loop", EngineStats.Loop::channels);
        GaugeWithCallback.builder()
                .name("broxy_buffer_bytes")
                .help("Bytes of buffers: all, and those whose data a peer has not accepted yet")
                .labelNames("kind")
                .callback(gauge -> {
                    EngineStats now = proxy.broxy().stats();
                    gauge.call((double) now.bufferBytes(), "all");
                    gauge.call((double) now.heldBytes(), "held");
                })
                .register(registry);
    }

    // ------------------------------------------------------------------ kinds of metrics

    private void counter(String name, String help, ToLongFunction<ProxyStats> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(counter -> counter.call((double) value.applyAsLong(stats())))
                .register(registry);
    }

    private void gauge(String name, String help, ToLongFunction<ProxyStats> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(gauge -> gauge.call((double) value.applyAsLong(stats())))
                .register(registry);
    }

    private void hopCounter(String name, String help, ToLongFunction<HopStats> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames("upstream")
                .callback(counter -> {
                    for (UpstreamView each : proxy.upstreams().get()) {
                        HopStats hop = each.stats();
                        if (hop != null) {
                            counter.call((double) value.applyAsLong(hop), each.name());
                        }
                    }
                })
                .register(registry);
    }

    private void loopGauge(String name, String help, ToLongFunction<EngineStats.Loop> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames("loop")
                .callback(gauge -> {
                    for (EngineStats.Loop loop : proxy.broxy().stats().loops()) {
                        gauge.call((double) value.applyAsLong(loop), loop.name());
                    }
                })
                .register(registry);
    }

    private static String label(Enum<?> reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }
}
