package io.broxy.examples.telemetry;

import io.broxy.DialException;
import io.broxy.DurationHistogram;
import io.broxy.LookUpStats;
import io.broxy.PoolStats;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.TlsOutcome;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * A handler's counters, gauges and times as meters of Micrometer. They are read when the registry publishes, and cost nothing before.
 *
 * <pre>{@code
 * new BroxyMetrics(handler, Tags.of("handler", "public")).bindTo(registry);
 * }</pre>
 *
 * <p>Their names begin with {@code broxy.}; Prometheus sees those of the mini-server's {@code /metrics}. Counters count since the handler
 * was built and never go back. Of the time of dials, tunnels and responses there are a timer ({@code broxy.dial.duration}: count and sum) and
 * counters of those that took no longer than {@code le} seconds ({@code broxy.dial.duration.histogram}), from which a backend computes
 * quantiles of many processes. Micrometer's own histograms would have to record each time once more.
 *
 * <p>Meters of several handlers differ by their tags. The registry holds a handler weakly, as Micrometer does: keep it as long as it serves. A
 * closed handler's meters keep their last values until it is collected; then gauges are {@code NaN}.
 *
 * <p>Threading: immutable.
 */
final class BroxyMetrics implements MeterBinder {
    /** The bounds of the histograms: a millisecond to five minutes. */
    static final List<Duration> BOUNDS = List.of(
                    1L, 2L, 5L, 10L, 20L, 50L, 100L, 200L, 500L, 1_000L, 2_000L, 5_000L, 10_000L, 30_000L, 60_000L,
                    300_000L)
            .stream()
            .map(Duration::ofMillis)
            .toList();

    private final ProxyHandler handler;
    private final Tags tags;

    /**
     * @param tags what tells this handler's meters from those of others
     */
    BroxyMetrics(ProxyHandler handler, Iterable<Tag> tags) {
        this.handler = handler;
        this.tags = Tags.of(tags);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Meters meters = new Meters(registry);
        meters.clients();
        meters.failures();
        meters.lookUps();
        meters.pool();
        meters.times("dial", "Dials that succeeded", ProxyStats::dialTimes);
        meters.times("tunnel", "Tunnels that have ended", ProxyStats::tunnelDurations);
        meters.times(
                "response",
                "Responses to forwarded requests, from the end of the request's head to that of the response's",
                ProxyStats::responseTimes);
    }

    /** Registers meters. Threading: for one thread. */
    private final class Meters {
        private final MeterRegistry registry;

        Meters(MeterRegistry registry) {
            this.registry = registry;
        }

        void clients() {
            gauge("connections.open", "Client connections being served", Tags.empty(), ProxyStats::openConnections);
            counter("connections", "Client connections accepted", Tags.empty(), ProxyStats::totalConnections);
            gauge("tunnels.open", "Tunnels being established or relaying", Tags.empty(), ProxyStats::openTunnels);
            counter("tunnels.established", "Tunnels established", Tags.empty(), ProxyStats::establishedTunnels);
            gauge("exchanges.open", "Requests being forwarded", Tags.empty(), ProxyStats::openExchanges);
            counter("exchanges", "Forwarded requests that have ended", Tags.empty(), ProxyStats::totalExchanges);
            bytes("to_origin", ProxyStats::bytesToOrigin);
            bytes("to_client", ProxyStats::bytesToClient);
            gauge(
                    "tls.handshakes.open",
                    "TLS handshakes of clients under way",
                    Tags.empty(),
                    ProxyStats::openTlsHandshakes);
            for (TlsOutcome outcome : TlsOutcome.values()) {
                counter(
                        "tls.handshakes",
                        "TLS handshakes of clients that have ended",
                        tag("outcome", outcome),
                        stats -> stats.tlsHandshakes(outcome));
            }
        }

        private void bytes(String direction, ToLongFunction<ProxyStats> value) {
            FunctionCounter.builder("broxy.bytes", handler, from -> value.applyAsLong(from.stats()))
                    .description("Bytes passed on by tunnels so far, and by exchanges that have ended")
                    .baseUnit("bytes")
                    .tags(tags)
                    .tag("direction", direction)
                    .register(registry);
        }

        void failures() {
            for (RefusedException.Reason reason : RefusedException.Reason.values()) {
                counter(
                        "requests.refused",
                        "Requests refused before a connection was dialed",
                        tag("reason", reason),
                        stats -> stats.refused(reason));
            }
            for (DialException.Reason reason : DialException.Reason.values()) {
                counter(
                        "dial.failures",
                        "Requests whose target could not be dialed",
                        tag("reason", reason),
                        stats -> stats.dialFailures(reason));
            }
            counter(
                    "events.dropped",
                    "Access log lines and events of listeners dropped",
                    Tags.empty(),
                    ProxyStats::droppedEvents);
        }

        void lookUps() {
            lookUps("waiting", LookUpStats::waiting);
            lookUps("running", LookUpStats::running);
            lookUps("abandoned", LookUpStats::abandoned);
        }

        private void lookUps(String state, ToLongFunction<LookUpStats> value) {
            gauge("look.ups", "Name lookups", Tags.of("state", state), stats -> value.applyAsLong(stats.lookUps()));
        }

        void pool() {
            poolConnections("idle", PoolStats::idle);
            poolConnections("leased", PoolStats::leased);
            poolConnections("opening", PoolStats::opening);
            gauge(
                    "pool.waiting",
                    "Requests that wait for the pool's caps",
                    Tags.empty(),
                    stats -> stats.pool().waiting());
            counter(
                    "pool.opened",
                    "Connections opened by the pool",
                    Tags.empty(),
                    stats -> stats.pool().created());
            counter(
                    "pool.reused",
                    "Requests served with an idle connection",
                    Tags.empty(),
                    stats -> stats.pool().reused());
            for (PoolStats.Eviction cause : PoolStats.Eviction.values()) {
                counter(
                        "pool.evicted",
                        "Connections closed by the pool",
                        tag("cause", cause),
                        stats -> stats.pool().evicted(cause));
            }
        }

        private void poolConnections(String state, ToLongFunction<PoolStats> value) {
            gauge(
                    "pool.connections",
                    "Connections of the pool for forwarded requests",
                    Tags.of("state", state),
                    stats -> value.applyAsLong(stats.pool()));
        }

        void times(String what, String description, Function<ProxyStats, DurationHistogram> times) {
            FunctionTimer.builder(
                            "broxy." + what + ".duration",
                            handler,
                            from -> times.apply(from.stats()).count(),
                            from -> times.apply(from.stats()).sum().toNanos(),
                            TimeUnit.NANOSECONDS)
                    .description(description)
                    .tags(tags)
                    .register(registry);
            for (Duration bound : BOUNDS) {
                counter(
                        what + ".duration.histogram",
                        description + ", within le seconds",
                        Tags.of("le", seconds(bound)),
                        stats -> times.apply(stats).countAtMost(bound));
            }
            counter(
                    what + ".duration.histogram",
                    description + ", within le seconds",
                    Tags.of("le", "+Inf"),
                    stats -> times.apply(stats).count());
        }

        private void counter(String name, String description, Tags more, ToLongFunction<ProxyStats> value) {
            FunctionCounter.builder("broxy." + name, handler, from -> value.applyAsLong(from.stats()))
                    .description(description)
                    .tags(tags.and(more))
                    .register(registry);
        }

        private void gauge(String name, String description, Tags more, ToLongFunction<ProxyStats> value) {
            Gauge.builder("broxy." + name, handler, from -> value.applyAsLong(from.stats()))
                    .description(description)
                    .tags(tags.and(more))
                    .register(registry);
        }
    }

    private static Tags tag(String name, Enum<?> value) {
        return Tags.of(name, value.name().toLowerCase(Locale.ROOT));
    }

    /** As Prometheus writes bounds: {@code 0.005}, {@code 1.0}. */
    private static String seconds(Duration bound) {
        return Double.toString(bound.toMillis() / 1000.0);
    }
}
