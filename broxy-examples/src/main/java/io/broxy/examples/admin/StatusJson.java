package io.broxy.examples.admin;

import com.google.gson.stream.JsonWriter;
import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DurationHistogram;
import io.broxy.EngineStats;
import io.broxy.HopStats;
import io.broxy.HttpProxyDialer;
import io.broxy.PoolStats;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.core.ProxyMonitor;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The figures of the moment, as the page reads them.
 *
 * <p>Threading: thread-safe.
 */
final class StatusJson {
    private static final int BUSIEST = 8;

    private final ServedProxy proxy;
    private final Instant start = Instant.now();
    private final LoopLoads loads = new LoopLoads();

    StatusJson(ServedProxy proxy) {
        this.proxy = proxy;
    }

    /** What a page needs once, and the figures. */
    String first() {
        return Json.text(json -> {
            json.beginObject();
            json.name("first").value(true);
            json.name("version").value(proxy.version());
            json.name("closable").value(proxy.token() != null);
            json.name("line").beginArray();
            for (ProxyMonitor.Sample sample : proxy.monitor().samples()) {
                json.beginArray();
                json.value(sample.end().toEpochMilli());
                json.value(Math.round(sample.bytesToClientPerSecond()));
                json.value(Math.round(sample.bytesToOriginPerSecond()));
                json.endArray();
            }
            json.endArray();
            write(json);
            json.endObject();
        });
    }

    /** The figures. */
    String next() {
        return Json.text(json -> {
            json.beginObject();
            write(json);
            json.endObject();
        });
    }

    private void write(JsonWriter json) throws IOException {
        ProxyStats stats = proxy.handler().stats();
        Instant now = Instant.now();
        json.name("serving").value(proxy.serving().getAsBoolean());
        json.name("uptime").value(Duration.between(start, now).toMillis());
        openAndTotal(json, "connections", stats.openConnections(), stats.totalConnections());
        openAndTotal(json, "tunnels", stats.openTunnels(), stats.establishedTunnels());
        openAndTotal(json, "exchanges", stats.openExchanges(), stats.totalExchanges());
        json.name("bytes").beginObject();
        json.name("toOrigin").value(stats.bytesToOrigin());
        json.name("toClient").value(stats.bytesToClient());
        json.endObject();
        sample(json, proxy.monitor().latest());
        json.name("times").beginObject();
        times(json, "dial", proxy.monitor().dialTimes());
        times(json, "response", proxy.monitor().responseTimes());
        json.endObject();
        reasons(json, "failures", DialException.Reason.values(), stats::dialFailures);
        reasons(json, "refused", RefusedException.Reason.values(), stats::refused);
        json.name("dropped").value(stats.droppedEvents());
        busiest(json, "targets", proxy.monitor().topTargets(BUSIEST, ProxyMonitor.Order.BYTES));
        busiest(json, "identities", proxy.monitor().topIdentities(BUSIEST, ProxyMonitor.Order.BYTES));
        List<UpstreamView> upstreams = proxy.upstreams().get();
        json.name("upstreams").beginArray();
        for (UpstreamView upstream : upstreams) {
            upstream(json, upstream, now);
        }
        json.endArray();
        json.name("pools").beginArray();
        pool(json, "requests", stats.pool());
        for (ConnPool pool : pools(upstreams)) {
            pool(json, "proxies", pool.stats());
        }
        json.endArray();
        engine(json, proxy.broxy().stats());
    }

    private static void openAndTotal(JsonWriter json, String name, long open, long total) throws IOException {
        json.name(name).beginObject();
        json.name("open").value(open);
        json.name("total").value(total);
        json.endObject();
    }

    private static void sample(JsonWriter json, ProxyMonitor.@Nullable Sample sample) throws IOException {
        json.name("sample");
        if (sample == null) {
            json.nullValue();
            return;
        }
        json.beginObject();
        json.name("time").value(sample.end().toEpochMilli());
        json.name("toOrigin").value(Math.round(sample.bytesToOriginPerSecond()));
        json.name("toClient").value(Math.round(sample.bytesToClientPerSecond()));
        json.endObject();
    }

    private static void times(JsonWriter json, String name, DurationHistogram times) throws IOException {
        json.name(name).beginObject();
        json.name("count").value(times.count());
        if (times.count() > 0) {
            json.name("p50").value(micros(times.quantile(0.5)));
            json.name("p99").value(micros(times.quantile(0.99)));
        }
        json.endObject();
    }

    private static long micros(Duration time) {
        return TimeUnit.NANOSECONDS.toMicros(time.toNanos());
    }

    /** Those that have occurred, as pairs. */
    private static <R extends Enum<R>> void reasons(JsonWriter json, String name, R[] all, ToLongFunction<R> number)
            throws IOException {
        json.name(name).beginArray();
        for (R reason : all) {
            long occurred = number.applyAsLong(reason);
            if (occurred > 0) {
                json.beginArray().value(reason.name()).value(occurred).endArray();
            }
        }
        json.endArray();
    }

    private static void busiest(JsonWriter json, String name, ProxyMonitor.Top top) throws IOException {
        json.name(name).beginArray();
        for (ProxyMonitor.Usage usage : top.usages()) {
            busiest(json, usage.name(), usage);
        }
        if (top.others().requests() + bytes(top.others()) > 0) {
            busiest(json, "all others", top.others());
        }
        json.endArray();
    }

    private static void busiest(JsonWriter json, String name, ProxyMonitor.Usage usage) throws IOException {
        json.beginObject();
        json.name("name").value(name);
        json.name("requests").value(usage.requests());
        json.name("bytes").value(bytes(usage));
        json.endObject();
    }

    private static long bytes(ProxyMonitor.Usage usage) {
        return usage.bytesToOrigin() + usage.bytesToClient();
    }

    // ------------------------------------------------------------------ upstreams and their pools

    private static void upstream(JsonWriter json, UpstreamView upstream, Instant now) throws IOException {
        json.beginObject();
        json.name("name").value(upstream.name());
        HopStats stats = upstream.stats();
        if (stats != null) {
            json.name("uses").value(stats.uses());
            json.name("failures").value(stats.failures());
            json.name("penalty")
                    .value(stats.hasPenalty() ? Math.max(1, stats.penaltyLeft().toSeconds()) : 0);
            DialException failure = stats.lastFailure();
            Instant failureAt = stats.lastFailureAt();
            if (failure != null && failureAt != null) {
                json.name("lastFailure").value(failure.reason().name());
                json.name("lastFailureText").value(failure.getMessage());
                json.name("lastFailureAge")
                        .value(Math.max(0, Duration.between(failureAt, now).toMillis()));
            }
        }
        json.endObject();
    }

    /** Each once, though upstreams may share one. */
    private static Set<ConnPool> pools(List<UpstreamView> upstreams) {
        Set<ConnPool> pools = Collections.newSetFromMap(new IdentityHashMap<>());
        for (UpstreamView upstream : upstreams) {
            if (upstream.dialer() instanceof HttpProxyDialer http) {
                ConnPool pool = http.pool();
                if (pool != null) {
                    pools.add(pool);
                }
            }
        }
        return pools;
    }

    private static void pool(JsonWriter json, String name, PoolStats pool) throws IOException {
        json.beginObject();
        json.name("name").value(name);
        json.name("idle").value(pool.idle());
        json.name("leased").value(pool.leased());
        json.name("opening").value(pool.opening());
        json.name("waiting").value(pool.waiting());
        json.name("created").value(pool.created());
        json.name("reused").value(pool.reused());
        json.endObject();
    }

    // ------------------------------------------------------------------ the engine and memory

    private void engine(JsonWriter json, EngineStats stats) throws IOException {
        json.name("loops").beginArray();
        List<Double> shares = loads.of(stats.loops());
        for (int i = 0; i < shares.size(); i++) {
            EngineStats.Loop loop = stats.loops().get(i);
            json.beginObject();
            json.name("name").value(loop.name());
            json.name("clients").value(loop.clients());
            json.name("channels").value(loop.channels());
            json.name("busy").value(Math.round(shares.get(i) * 1000) / 1000.0);
            json.endObject();
        }
        json.endArray();
        json.name("lookUps").beginObject();
        json.name("waiting").value(stats.lookUps().waiting());
        json.name("running").value(stats.lookUps().running());
        json.name("abandoned").value(stats.lookUps().abandoned());
        json.endObject();
        JvmMemory memory = JvmMemory.now();
        json.name("memory").beginArray();
        memory(json, "Heap", memory.heap().getUsed(), memory.heap().getMax());
        memory(json, "Direct memory", memory.direct(), JvmMemory.NO_LIMIT);
        memory(json, "Relay buffers", stats.bufferBytes(), JvmMemory.NO_LIMIT);
        memory(json, "Data that peers have not accepted", stats.heldBytes(), stats.heldBytesCap());
        json.endArray();
    }

    private static void memory(JsonWriter json, String name, long used, long max) throws IOException {
        json.beginObject();
        json.name("name").value(name);
        json.name("used").value(used);
        json.name("max").value(max);
        json.endObject();
    }
}
