package io.broxy.examples;

import io.broxy.Authenticator;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyMonitor;
import io.broxy.examples.admin.UpstreamView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A proxy as its options say, that does not listen yet, and what is to be closed with it.
 *
 * <p>Threading: put together by one thread; thread-safe after that.
 */
final class ProxyAssembly implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ProxyAssembly.class);

    private static final String REALM = "broxy";

    private final Deque<Part> parts = new ArrayDeque<>();
    private final List<Reloadable> files = new ArrayList<>();
    private final ServerOptions options;
    private final Broxy broxy;
    private final Ways ways;
    private final @Nullable ProxyMonitor monitor;
    private final ProxyHandler handler;

    /** Something that closes without an exception. */
    interface Part {
        void close();
    }

    /**
     * Puts it together.
     *
     * @throws IOException if a file cannot be used; nothing runs then
     */
    ProxyAssembly(ServerOptions options) throws IOException {
        this.options = options;
        broxy = options.engine().start();
        add(broxy::close);
        try {
            ways = Ways.open(broxy, options);
            add(ways::close);
            LiveRules rules = ways.rules();
            if (rules != null) {
                files.add(rules.live());
            }
            monitor = options.admin().address() == null ? null : ProxyMonitor.of(broxy);
            handler = handler(broxy.proxyHandler().dialer(ways.dialer()), authenticator());
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Closes something with this, before everything that was added earlier. */
    void add(Part part) {
        parts.push(part);
    }

    Broxy broxy() {
        return broxy;
    }

    ProxyHandler handler() {
        return handler;
    }

    /** Follows the handler, if operators can look; null otherwise. It watches nothing yet. */
    @Nullable
    ProxyMonitor monitor() {
        return monitor;
    }

    /** Where to listen, as the options or the file of rules say. */
    ListenPoint listen() {
        return ways.listen();
    }

    /** What SIGHUP reads again; more may be added. */
    List<Reloadable> files() {
        return files;
    }

    /** The proxies that targets are reached through, as they are now. */
    List<UpstreamView> upstreams() {
        LiveRules rules = ways.rules();
        if (rules != null) {
            return rules.dialer().hops().stream().map(UpstreamView::of).toList();
        }
        Upstream upstream = options.upstream();
        return upstream == null
                ? List.of()
                : List.of(new UpstreamView(upstream.uri().address().toString(), ways.dialer(), null));
    }

    private @Nullable Authenticator authenticator() throws IOException {
        Path file = options.auth();
        if (file == null) {
            return null;
        }
        LiveUsers users = LiveUsers.start(file);
        add(users::close);
        files.add(users.live());
        return Authenticator.basic(REALM, users);
    }

    private ProxyHandler handler(ProxyHandler.Builder builder, @Nullable Authenticator authenticator) {
        if (authenticator != null) {
            builder.authenticator(authenticator);
        } else if (options.limits().ratePerUser() != null) {
            log.warn("--rate-per-user has no effect without --auth, because clients have no user");
        }
        if (monitor != null) {
            builder.listener(monitor.listener());
        }
        options.limits().apply(builder);
        options.plainHttp().apply(builder);
        return builder.addressPolicy(Destinations.policy(options))
                .accessPolicy(options.access().policy())
                .passProxyAuthentication(options.passProxyAuth())
                .reportOnly(options.reportOnly())
                .headTimeout(options.headTimeout())
                .dialTimeout(options.dialTimeout())
                .socks(options.socks())
                .idleTimeout(options.idleTimeout())
                .maxConnections(options.maxConnections())
                .build();
    }

    @Override
    public void close() {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }
}
