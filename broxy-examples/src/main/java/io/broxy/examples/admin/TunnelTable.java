package io.broxy.examples.admin;

import com.google.gson.stream.JsonWriter;
import io.broxy.ActiveTunnel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The running tunnels, as pages of a table. Their rates are those between two looks at the table, a second apart at least.
 *
 * <p>Threading: thread-safe.
 */
final class TunnelTable {
    private static final long SHORTEST_LOOK_NANOS = Duration.ofSeconds(1).toNanos();

    /** Rates over a longer time are history. */
    private static final long LONGEST_LOOK_NANOS = Duration.ofSeconds(15).toNanos();

    private static final double NANOS_PER_SECOND = 1e9;

    private final Supplier<List<ActiveTunnel>> tunnels;
    private final LongSupplier ticker;

    // guarded by this
    private Map<Long, Look> looks = Map.of();
    private long lookedAt;
    private boolean looked;

    /** What was seen of a tunnel: its bytes in both directions, and its rate until then, negative if it is unknown. */
    private record Look(long bytes, double rate) {}

    /** A line of the table. */
    private record Row(ActiveTunnel tunnel, double rate) {}

    TunnelTable(Supplier<List<ActiveTunnel>> tunnels, LongSupplier ticker) {
        this.tunnels = tunnels;
        this.ticker = ticker;
    }

    /**
     * The tunnels that a query asks for, as JSON: {@code total}, {@code matching}, {@code offset}, and {@code rows} with {@code
     * number}, {@code client}, {@code identity}, {@code target}, {@code age} in milliseconds, {@code toOrigin}, {@code
     * toClient} and {@code rate} in bytes a second; what is unknown is null.
     */
    String page(TunnelQuery query) {
        List<ActiveTunnel> all = tunnels.get();
        Map<Long, Look> rates = look(all);
        List<Row> matching = all.stream()
                .filter(tunnel -> matches(tunnel, query.filter()))
                .map(tunnel -> new Row(tunnel, rate(rates, tunnel)))
                .sorted(order(query))
                .toList();
        int from = Math.min(query.offset(), matching.size());
        int to = Math.min(from + query.limit(), matching.size());
        return Json.text(json -> {
            json.beginObject();
            json.name("total").value(all.size());
            json.name("matching").value(matching.size());
            json.name("offset").value(from);
            json.name("rows").beginArray();
            Instant now = Instant.now();
            for (Row row : matching.subList(from, to)) {
                write(row, now, json);
            }
            json.endArray().endObject();
        });
    }

    /** Closes a tunnel; false if there is none of that number. */
    boolean close(long number) {
        for (ActiveTunnel tunnel : tunnels.get()) {
            if (tunnel.number() == number) {
                tunnel.tunnel().close();
                return true;
            }
        }
        return false;
    }

    // ------------------------------------------------------------------ rates

    private synchronized Map<Long, Look> look(List<ActiveTunnel> all) {
        long now = ticker.getAsLong();
        long passed = now - lookedAt;
        if (looked && passed < SHORTEST_LOOK_NANOS) {
            return looks;
        }
        boolean recent = looked && passed <= LONGEST_LOOK_NANOS;
        Map<Long, Look> next = new HashMap<>(all.size() * 2);
        for (ActiveTunnel tunnel : all) {
            long bytes = bytes(tunnel);
            Look before = looks.get(tunnel.number());
            long since = before == null ? 0 : before.bytes;
            // One that is new has sent everything since the last look.
            double rate = recent ? (bytes - since) * NANOS_PER_SECOND / passed : -1;
            next.put(tunnel.number(), new Look(bytes, rate));
        }
        looks = next;
        lookedAt = now;
        looked = true;
        return next;
    }

    private static double rate(Map<Long, Look> looks, ActiveTunnel tunnel) {
        Look look = looks.get(tunnel.number());
        return look == null ? -1 : look.rate;
    }

    private static long bytes(ActiveTunnel tunnel) {
        return tunnel.bytesToOrigin() + tunnel.bytesToClient();
    }

    // ------------------------------------------------------------------ order and text

    private static Comparator<Row> order(TunnelQuery query) {
        Comparator<Row> order = switch (query.sort()) {
            case CLIENT -> Comparator.comparing(row -> client(row.tunnel));
            case IDENTITY -> Comparator.comparing(row -> identity(row.tunnel));
            case TARGET -> Comparator.comparing(row -> row.tunnel.target().toString());
            case AGE -> Comparator.comparing((Row row) -> row.tunnel.start()).reversed();
            case TO_ORIGIN -> Comparator.comparingLong(row -> row.tunnel.bytesToOrigin());
            case TO_CLIENT -> Comparator.comparingLong(row -> row.tunnel.bytesToClient());
            case RATE -> Comparator.comparingDouble(row -> row.rate);
        };
        return (query.descending() ? order.reversed() : order).thenComparingLong(row -> row.tunnel.number());
    }

    private static boolean matches(ActiveTunnel tunnel, String filter) {
        return filter.isEmpty()
                || lower(tunnel.target().toString()).contains(filter)
                || lower(identity(tunnel)).contains(filter)
                || lower(client(tunnel)).contains(filter);
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    private static String identity(ActiveTunnel tunnel) {
        return tunnel.identity() == null ? "" : tunnel.identity();
    }

    private static String client(ActiveTunnel tunnel) {
        InetSocketAddress client = tunnel.client();
        if (client == null) {
            return "";
        }
        String host = client.getAddress().getHostAddress();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + client.getPort();
    }

    private static void write(Row row, Instant now, JsonWriter json) throws IOException {
        ActiveTunnel tunnel = row.tunnel;
        json.beginObject();
        json.name("number").value(tunnel.number());
        json.name("client").value(orNull(client(tunnel)));
        json.name("identity").value(tunnel.identity());
        json.name("target").value(tunnel.target().toString());
        json.name("age").value(Math.max(0, Duration.between(tunnel.start(), now).toMillis()));
        json.name("toOrigin").value(tunnel.bytesToOrigin());
        json.name("toClient").value(tunnel.bytesToClient());
        json.name("rate");
        if (row.rate < 0) {
            json.nullValue();
        } else {
            json.value(Math.round(row.rate));
        }
        json.endObject();
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
