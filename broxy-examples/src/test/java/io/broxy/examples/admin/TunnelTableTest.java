package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.broxy.ActiveTunnel;
import io.broxy.HostPort;
import io.broxy.Tunnel;
import io.broxy.core.ProxyMonitor;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the order, the pages and the rates of the table of tunnels. */
class TunnelTableTest {
    private final List<Long> closed = new ArrayList<>();
    private List<ActiveTunnel> running = List.of();
    private final TunnelTable table =
            new TunnelTable(() -> running.stream().map(TunnelTableTest::rated).toList(), () -> running);

    /** The rate of a tunnel is the length of its target, and one more. */
    private static ProxyMonitor.TunnelRate rated(ActiveTunnel tunnel) {
        return new ProxyMonitor.TunnelRate(tunnel, tunnel.target().toString().length(), 1);
    }

    private ActiveTunnel tunnel(
            long number,
            String client,
            @Nullable String identity,
            String target,
            int age,
            long toOrigin,
            long toClient) {
        return new ActiveTunnel(
                number,
                HostPort.parse(target),
                identity,
                client.isEmpty() ? null : new InetSocketAddress(client, 40_000),
                null,
                Instant.now().minusSeconds(age),
                toOrigin,
                toClient,
                handle(number));
    }

    private Tunnel handle(long number) {
        return (Tunnel) Proxy.newProxyInstance(
                Tunnel.class.getClassLoader(), new Class<?>[] {Tunnel.class}, (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("close");
                    closed.add(number);
                    return null;
                });
    }

    private JsonObject page(Map<String, String> parameters) {
        return JsonParser.parseString(table.page(TunnelQuery.of(parameters))).getAsJsonObject();
    }

    private List<Long> numbers(Map<String, String> parameters) {
        return rows(page(parameters)).stream()
                .map(row -> row.get("number").getAsLong())
                .toList();
    }

    private static List<JsonObject> rows(JsonObject page) {
        JsonArray rows = page.getAsJsonArray("rows");
        return StreamSupport.stream(rows.spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "client, asc, 3 1 2", "client, desc, 2 1 3",
        "identity, asc, 2 3 1", "identity, desc, 1 3 2",
        "target, asc, 1 2 3", "target, desc, 3 2 1",
        "age, asc, 2 1 3", "age, desc, 3 1 2",
        "to_origin, asc, 3 2 1", "to_origin, desc, 1 2 3",
        "to_client, asc, 1 2 3", "to_client, desc, 2 3 1"
    })
    void eachColumnSorts(String sort, String order, String expected) {
        running = List.of(
                tunnel(1, "192.0.2.2", "bob", "a.example:443", 20, 30, 1),
                tunnel(2, "192.0.2.3", null, "b.example:443", 10, 20, 7),
                tunnel(3, "192.0.2.1", "al", "c.example:443", 30, 10, 7));

        assertThat(numbers(Map.of("sort", sort, "order", order)))
                .as("ties in the order of their numbers")
                .map(String::valueOf)
                .containsExactly(expected.split(" "));
    }

    @ParameterizedTest
    @CsvSource({"192.0.2, 1 2", "BOB, 1", "example:443, 1 3", ":40000, 1 2", "nothing, ''", "'  ', 1 2 3"})
    void theFilterLooksAtClientIdentityAndTarget(String filter, String expected) {
        running = List.of(
                tunnel(1, "192.0.2.2", "Bob", "a.example:443", 0, 0, 0),
                tunnel(2, "192.0.2.3", null, "b.example:80", 0, 0, 0),
                tunnel(3, "", null, "c.example:443", 0, 0, 0));
        JsonObject page = page(Map.of("filter", filter));

        assertThat(page.get("total").getAsInt()).isEqualTo(3);
        assertThat(page.get("matching").getAsInt()).isEqualTo(rows(page).size());
        assertThat(String.join(
                        " ",
                        rows(page).stream()
                                .map(row -> row.get("number").getAsString())
                                .sorted()
                                .toList()))
                .isEqualTo(expected);
    }

    @Test
    void pagesFollowOneAnother() {
        List<ActiveTunnel> many = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            many.add(tunnel(i, "192.0.2.2", null, "a.example:443", 0, i, 0));
        }
        running = many;
        Map<String, String> last = Map.of("sort", "to_origin", "order", "asc", "offset", "100", "limit", "50");

        assertThat(numbers(Map.of("sort", "to_origin", "order", "asc")))
                .hasSize(50)
                .startsWith(0L, 1L);
        assertThat(numbers(last)).hasSize(20).startsWith(100L).endsWith(119L);
        assertThat(page(last).get("matching").getAsInt()).isEqualTo(120);
        assertThat(numbers(Map.of("offset", "500"))).isEmpty();
    }

    @Test
    void theRateIsThatOfBothDirections() {
        running = List.of(
                tunnel(1, "192.0.2.2", null, "long.example:443", 0, 0, 0),
                tunnel(2, "192.0.2.2", null, "a.example:443", 0, 0, 0));

        assertThat(rows(page(Map.of("sort", "rate"))).stream()
                        .map(row -> row.get("rate").getAsLong())
                        .toList())
                .containsExactly(17L, 14L);
    }

    @Test
    void whatIsUnknownIsNull() {
        running = List.of(tunnel(1, "", null, "a.example:443", 0, 0, 0));
        JsonObject row = rows(page(Map.of())).get(0);

        assertThat(row.get("client").isJsonNull()).isTrue();
        assertThat(row.get("identity").isJsonNull()).isTrue();
    }

    @Test
    void whateverAnIdentityIsItStaysText() {
        String hostile = "</script><img src=x onerror=alert(1)>\"\\\u2028\u0000\n";
        running = List.of(tunnel(1, "192.0.2.2", hostile, "a.example:443", 0, 0, 0));
        String json = table.page(TunnelQuery.of(Map.of()));

        assertThat(json).doesNotContain("\n", "\u2028", "\u0000");
        assertThat(rows(page(Map.of())).get(0).get("identity").getAsString()).isEqualTo(hostile);
    }

    @Test
    void oneTunnelIsClosed() {
        running = List.of(
                tunnel(1, "192.0.2.2", null, "a.example:443", 0, 0, 0),
                tunnel(2, "192.0.2.2", null, "a.example:443", 0, 0, 0));

        assertThat(table.close(2)).isTrue();
        assertThat(table.close(3)).isFalse();
        assertThat(closed).containsExactly(2L);
    }
}
