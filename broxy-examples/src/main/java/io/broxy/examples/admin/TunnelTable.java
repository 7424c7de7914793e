package io.broxy.examples.admin;

import com.google.gson.stream.JsonWriter;
import io.broxy.ActiveTunnel;
import io.broxy.HostPort;
import io.broxy.core.ProxyMonitor.TunnelRate;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The running tunnels, as pages of a table.
 *
 * <p>Threading: thread-safe.
 */
final class TunnelTable {
    private final Supplier<List<TunnelRate>> seen;
    private final Supplier<List<ActiveTunnel>> running;

    /**
     * Creates one.
     *
     * @param seen what is shown
     * @param running what can be closed
     */
    TunnelTable(Supplier<List<TunnelRate>> seen, Supplier<List<ActiveTunnel>> running) {
        this.seen = seen;
        this.running = running;
    }

    /**
     * The tunnels that a query asks for, as JSON: {@code total}, {@code matching}, {@code offset}, and {@code rows} with {@code
     * number}, {@code client}, {@code identity}, {@code target}, {@code age} in milliseconds, {@code toOrigin}, {@code
     * toClient} and {@code rate} in bytes a second; what is unknown is null.
     */
    String page(TunnelQuery query) {
        List<TunnelRate> all = seen.get();
        List<TunnelRate> matching = all.stream()
                .filter(row -> matches(row.tunnel(), query.filter()))
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
            for (TunnelRate row : matching.subList(from, to)) {
                write(row, now, json);
            }
            json.endArray().endObject();
        });
    }

    /** Closes a tunnel; false if there is none of that number. */
    boolean close(long number) {
        for (ActiveTunnel tunnel : running.get()) {
            if (tunnel.number() == number) {
                tunnel.tunnel().close();
                return true;
            }
        }
        return false;
    }

    // ------------------------------------------------------------------ order and text

    private static Comparator<TunnelRate> order(TunnelQuery query) {
        Comparator<TunnelRate> order = switch (query.sort()) {
            case CLIENT -> Comparator.comparing(row -> client(row.tunnel()));
            case IDENTITY -> Comparator.comparing(row -> identity(row.tunnel()));
            case TARGET -> Comparator.comparing(row -> row.tunnel().target().toString());
            case AGE ->
                Comparator.comparing((TunnelRate row) -> row.tunnel().start()).reversed();
            case TO_ORIGIN -> Comparator.comparingLong(row -> row.tunnel().bytesToOrigin());
            case TO_CLIENT -> Comparator.comparingLong(row -> row.tunnel().bytesToClient());
            case RATE -> Comparator.comparingDouble(TunnelTable::rate);
        };
        return (query.descending() ? order.reversed() : order)
                .thenComparingLong(row -> row.tunnel().number());
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
        try {
            return HostPort.of(host, client.getPort()).toString(); // IPv6 in its short form
        } catch (IllegalArgumentException e) { // a zone, or port 0
            return "[" + host + "]:" + client.getPort();
        }
    }

    private static double rate(TunnelRate row) {
        return row.bytesToOriginPerSecond() + row.bytesToClientPerSecond();
    }

    private static void write(TunnelRate row, Instant now, JsonWriter json) throws IOException {
        ActiveTunnel tunnel = row.tunnel();
        json.beginObject();
        json.name("number").value(tunnel.number());
        json.name("client").value(orNull(client(tunnel)));
        json.name("identity").value(tunnel.identity());
        json.name("target").value(tunnel.target().toString());
        json.name("age").value(Math.max(0, Duration.between(tunnel.start(), now).toMillis()));
        json.name("toOrigin").value(tunnel.bytesToOrigin());
        json.name("toClient").value(tunnel.bytesToClient());
        json.name("rate").value(Math.round(rate(row)));
        json.endObject();
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
