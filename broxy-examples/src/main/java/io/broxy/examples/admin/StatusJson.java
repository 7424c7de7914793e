package io.broxy.examples.admin;

import com.google.gson.stream.JsonWriter;
import io.broxy.DialException;
import io.broxy.LookUpStats;
import io.broxy.PoolStats;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.function.ToLongFunction;

/**
 * The figures of the moment, as the page reads them.
 *
 * <p>Threading: thread-safe.
 */
final class StatusJson {
    private final ServedProxy proxy;

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
            json.name("line").beginArray().endArray();
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
        json.name("serving").value(proxy.serving().getAsBoolean());
        json.name("uptime").value(ManagementFactory.getRuntimeMXBean().getUptime());
        openAndTotal(json, "connections", stats.openConnections(), stats.totalConnections());
        openAndTotal(json, "tunnels", stats.openTunnels(), stats.establishedTunnels());
        openAndTotal(json, "exchanges", stats.openExchanges(), stats.totalExchanges());
        json.name("bytes").beginObject();
        json.name("toOrigin").value(stats.bytesToOrigin());
        json.name("toClient").value(stats.bytesToClient());
        json.endObject();
        json.name("times").beginObject();
        for (String kind : new String[] {"dial", "response", "tunnel"}) {
            json.name(kind).beginObject().name("count").value(0).endObject();
        }
        json.endObject();
        reasons(json, "failures", DialException.Reason.values(), stats::dialFailures);
        reasons(json, "refused", RefusedException.Reason.values(), stats::refused);
        for (String kind : new String[] {"targets", "identities", "upstreams", "loops"}) {
            json.name(kind).beginArray().endArray();
        }
        pool(json, stats.pool());
        lookUps(json, stats.lookUps());
        memory(json);
    }

    private static void openAndTotal(JsonWriter json, String name, long open, long total) throws IOException {
        json.name(name).beginObject();
        json.name("open").value(open);
        json.name("total").value(total);
        json.endObject();
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

    private static void pool(JsonWriter json, PoolStats pool) throws IOException {
        json.name("pool").beginObject();
        json.name("idle").value(pool.idle());
        json.name("leased").value(pool.leased());
        json.name("opening").value(pool.opening());
        json.name("waiting").value(pool.waiting());
        json.name("created").value(pool.created());
        json.name("reused").value(pool.reused());
        json.endObject();
    }

    private static void lookUps(JsonWriter json, LookUpStats lookUps) throws IOException {
        json.name("lookUps").beginObject();
        json.name("waiting").value(lookUps.waiting());
        json.name("running").value(lookUps.running());
        json.name("abandoned").value(lookUps.abandoned());
        json.endObject();
    }

    private static void memory(JsonWriter json) throws IOException {
        json.name("memory").beginArray();
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        memory(json, "Heap", heap.getUsed(), heap.getMax());
        for (BufferPoolMXBean buffers : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            if (buffers.getName().equals("direct")) {
                memory(json, "Direct buffers", buffers.getMemoryUsed(), -1);
            }
        }
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
