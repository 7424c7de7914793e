package io.broxy.examples;

import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.ServerTls;
import io.broxy.core.Broxy;
import io.broxy.core.BroxyBuilder;
import io.broxy.core.ProxyServer;
import io.broxy.examples.admin.AdminServer;
import io.broxy.examples.admin.ServedProxy;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of a mini-server, put together as its options say, and running.
 *
 * <p>Threading: thread-safe.
 */
final class RunningServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RunningServer.class);

    private static final String REALM = "broxy";

    /**
     * How long clients that were accepted before a drain may take to send their request: long enough for a distant client, or
     * a busy machine, and short beside the 30 s that service managers commonly allow.
     */
    private static final Duration SETTLING = Duration.ofSeconds(5);

    private static final long POLL_MILLIS = 10;

    private final Parts parts;
    private final ProxyHandler handler;
    private final ProxyServer server;
    private final boolean speaksTls;
    private final List<ProxyServer> forwards = new ArrayList<>();
    private final @Nullable AdminServer admin;
    private final List<Reloadable> files = new ArrayList<>();
    private volatile boolean draining;

    /** What is to be closed, the latest first. Threading: for one thread at a time. */
    private static final class Parts implements AutoCloseable {
        /** A part that closes without an exception. */
        private interface Part {
            void close();
        }

        private final Deque<Part> parts = new ArrayDeque<>();

        void add(Part part) {
            parts.push(part);
        }

        @Override
        public void close() {
            while (!parts.isEmpty()) {
                parts.pop().close();
            }
        }
    }

    private RunningServer(Parts parts, ServerOptions options) throws IOException {
        this.parts = parts;
        Broxy broxy = engine(options);
        parts.add(broxy::close);
        Ways ways = Ways.open(broxy, options);
        parts.add(ways::close);
        LiveRules rules = ways.rules();
        if (rules != null) {
            files.add(rules.live());
        }
        handler = handler(broxy.proxyHandler().dialer(ways.dialer()), authenticator(options), options);
        ServerTls tls = tls(options.tls());
        server = ways.listen().open(broxy, tls == null ? handler : handler.overTls(tls));
        speaksTls = tls != null;
        for (Forward forward : options.forwards()) {
            warnIfDenied(forward.target(), options);
            forwards.add(forward.listen().open(broxy, handler.tunnelTo(forward.target())));
        }
        ListenAddress adminAddress = options.admin().address();
        if (adminAddress == null) {
            admin = null;
        } else {
            AdminServer own = open(adminAddress, served(options.admin()));
            parts.add(broxy.declareListener(own.address())::close);
            parts.add(own::close);
            admin = own;
        }
    }

    private static AdminServer open(ListenAddress address, ServedProxy proxy) throws IOException {
        try {
            return AdminServer.start(address.resolved(), proxy);
        } catch (BindException e) {
            throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
        }
    }

    private ServedProxy served(AdminOptions options) throws IOException {
        return new ServedProxy(handler, () -> !draining, MiniServer.version(), options.hosts(), options.token());
    }

    /**
     * Starts to listen.
     *
     * @throws IOException if an address cannot be listened on, or a file cannot be used; nothing runs then
     */
    static RunningServer start(ServerOptions options) throws IOException {
        Parts parts = new Parts();
        try {
            return new RunningServer(parts, options);
        } catch (IOException | RuntimeException e) {
            parts.close();
            throw e;
        }
    }

    private static Broxy engine(ServerOptions options) {
        BroxyBuilder builder = Broxy.builder();
        Integer eventLoops = options.eventLoops();
        if (eventLoops != null) {
            builder.eventLoops(eventLoops);
        }
        return builder.build();
    }

    private @Nullable Authenticator authenticator(ServerOptions options) throws IOException {
        Path file = options.auth();
        if (file == null) {
            return null;
        }
        LiveUsers users = LiveUsers.start(file);
        parts.add(users::close);
        files.add(users.live());
        return Authenticator.basic(REALM, users);
    }

    private @Nullable ServerTls tls(TlsOptions options) throws IOException {
        TlsFiles pemFiles = options.files();
        if (pemFiles == null) {
            return null;
        }
        LiveTls live = LiveTls.start(pemFiles);
        parts.add(live::close);
        files.add(live);
        return options.serverTls(live);
    }

    private static ProxyHandler handler(
            ProxyHandler.Builder builder, @Nullable Authenticator authenticator, ServerOptions options) {
        if (authenticator != null) {
            builder.authenticator(authenticator);
        } else if (options.limits().ratePerUser() != null) {
            log.warn("--rate-per-user has no effect without --auth, because clients have no user");
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

    /** The clients of such a forward see no more than a reset. */
    private static void warnIfDenied(HostPort target, ServerOptions options) {
        AddressPolicy policy = Destinations.policy(options);
        InetAddress literal = target.address();
        if (literal != null && !options.reportOnly() && !policy.admits(literal, target.port())) {
            log.warn("--forward: clients will be reset, because {}", policy.explain(literal, target.port()));
        }
    }

    /** Where it listens, as {@code HOST:PORT} with the port that was taken, or as {@code unix:PATH}. */
    String address() {
        return ListenPoint.text(server.localAddress());
    }

    /** Where it listens for clients that know of no proxy, in the order of the options. */
    List<String> forwards() {
        return forwards.stream()
                .map(forward -> ListenPoint.text(forward.localAddress()))
                .toList();
    }

    /** Whether clients speak TLS to it. */
    boolean speaksTls() {
        return speaksTls;
    }

    /** Where it answers operators, with the port that was taken; null if it does not. */
    @Nullable
    ListenAddress adminAddress() {
        return admin == null ? null : ListenAddress.of(admin.address());
    }

    /**
     * Reads the files of rules, users and certificates again, and logs one line. Where one cannot be used, what was used
     * before stays.
     */
    void reload() {
        if (files.isEmpty()) {
            log.info("SIGHUP: nothing to reload without --rules, --auth or --tls-cert");
            return;
        }
        boolean warn = false;
        List<String> texts = new ArrayList<>();
        for (Reloadable file : files) {
            LiveFile.Outcome outcome = file.reload();
            warn |= outcome.warn();
            texts.add(outcome.text());
        }
        LiveFile.log(log, "SIGHUP: ", new LiveFile.Outcome(warn, String.join("; ", texts)));
    }

    /**
     * Stops accepting, which frees the port, serves the clients that have just connected, and gives running tunnels
     * time to end.
     */
    void drain(Duration grace) throws InterruptedException {
        long start = System.nanoTime();
        draining = true;
        server.close();
        forwards.forEach(ProxyServer::close);
        awaitRequests(start, grace);
        Duration left = grace.minusNanos(System.nanoTime() - start);
        if (!handler.drain(left.isNegative() ? Duration.ZERO : left)) {
            log.warn("tunnels that were still running after {} were reset", grace);
        }
    }

    /** Gives clients that were just accepted time to send their requests, but does not wait long for silent ones. */
    private void awaitRequests(long start, Duration grace) throws InterruptedException {
        long limit = (grace.compareTo(SETTLING) < 0 ? grace : SETTLING).toNanos();
        while (someHaveNotAsked() && System.nanoTime() - start < limit) {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private boolean someHaveNotAsked() {
        ProxyStats stats = handler.stats();
        return stats.openConnections() > stats.openTunnels() + stats.openExchanges();
    }

    @Override
    public void close() {
        parts.close();
    }
}
