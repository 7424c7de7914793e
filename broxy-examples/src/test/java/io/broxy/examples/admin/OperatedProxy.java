package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyMonitor;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A proxy that lets clients reach the loopback, and its admin address.
 *
 * <p>Threading: for one thread.
 *
 * @param serving what the proxy says about itself
 */
record OperatedProxy(Proxy proxy, AdminServer admin, AtomicBoolean serving) implements AutoCloseable {
    static final String TOKEN = "an-operators-token";
    static final String ANOTHER_NAME = "proxy.test";

    /** A proxy whose tunnels an operator with {@link #TOKEN} may close. */
    static OperatedProxy start() throws IOException {
        return start(AdminToken.of(TOKEN), settings -> {});
    }

    static OperatedProxy start(@Nullable AdminToken token, Consumer<ProxyHandler.Builder> settings) throws IOException {
        return start(token, List::of, (broxy, builder) -> settings.accept(builder));
    }

    static OperatedProxy start(
            @Nullable AdminToken token,
            Supplier<List<UpstreamView>> upstreams,
            BiConsumer<Broxy, ProxyHandler.Builder> settings)
            throws IOException {
        List<ProxyMonitor> monitors = new ArrayList<>();
        Proxy proxy = Proxy.start((broxy, builder) -> {
            ProxyMonitor monitor = ProxyMonitor.of(broxy);
            monitors.add(monitor);
            settings.accept(broxy, builder.listener(monitor.listener()));
        });
        AtomicBoolean serving = new AtomicBoolean(true);
        try {
            ProxyMonitor monitor = monitors.get(0);
            monitor.watch(proxy.handler());
            ServedProxy served = new ServedProxy(
                    proxy.broxy(),
                    proxy.handler(),
                    monitor,
                    upstreams,
                    serving::get,
                    "0.1.0",
                    List.of(ANOTHER_NAME),
                    token);
            InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            return new OperatedProxy(proxy, AdminServer.start(free, served), serving);
        } catch (IOException | RuntimeException e) {
            proxy.close();
            throw e;
        }
    }

    int port() {
        return admin.address().getPort();
    }

    /** Where a browser finds the page. */
    String url() {
        return "http://127.0.0.1:" + port() + "/";
    }

    /** A request that a script sends. */
    Http.Message ask(String method, String path, String... fields) throws IOException {
        return askHost("127.0.0.1:" + port(), method, path, fields);
    }

    /** The same under another name. */
    Http.Message askHost(String host, String method, String path, String... fields) throws IOException {
        try (Peer client = Peer.connect(port())) {
            StringBuilder head = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n");
            for (String field : fields) {
                head.append(field).append("\r\n");
            }
            client.send(head + "\r\n");
            if (method.equals("HEAD")) {
                return new Http.Message(client.readHead(), "", "");
            }
            return message(client);
        }
    }

    /** The JDK's server writes names of fields in its own case. */
    private static Http.Message message(Peer client) throws IOException {
        String head = client.readHead();
        String length = Http.value(head, "Content-length");
        return new Http.Message(head, length == null ? "" : client.readText(Integer.parseInt(length)), "");
    }

    JsonObject json(String path) throws IOException {
        Http.Message response = ask("GET", path);
        assertThat(response.status()).as(response.body()).isEqualTo(200);
        return JsonParser.parseString(response.body()).getAsJsonObject();
    }

    /** The only running tunnel that a filter finds. */
    JsonObject tunnel(String filter) throws IOException {
        String path = "/tunnels?filter=" + filter;
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> json(path).get("matching").getAsInt() == 1);
        return json(path).getAsJsonArray("rows").get(0).getAsJsonObject();
    }

    String bearer() {
        return "Authorization: Bearer " + TOKEN;
    }

    @Override
    public void close() {
        admin.close();
        proxy.close();
    }
}
