package io.broxy.examples;

import io.broxy.AddressPolicy;
import io.broxy.EngineStats;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.ServerTls;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyMonitor;
import io.broxy.core.ProxyServer;
import io.broxy.examples.admin.AdminServer;
import io.broxy.examples.admin.ServedProxy;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
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

    /**
     * How long clients that were accepted before a drain may take to send their request: long enough for a distant client, or
     * a busy machine, and short beside the 30 s that service managers commonly allow.
     */
    private static final Duration SETTLING = Duration.ofSeconds(5);

    private static final long POLL_MILLIS = 10;

    private final ProxyAssembly proxy;
    private final ProxyHandler handler;
    private final ProxyServer server;
    private final boolean speaksTls;
    private final List<ProxyServer> forwards = new ArrayList<>();
    private final @Nullable AdminServer admin;
    private volatile boolean draining;

    private RunningServer(ProxyAssembly proxy, ServerOptions options) throws IOException {
        this.proxy = proxy;
        Broxy broxy = proxy.broxy();
        handler = proxy.handler();
        ServerTls tls = tls(options.tls());
        server = proxy.listen().open(broxy, tls == null ? handler : handler.overTls(tls));
        speaksTls = tls != null;
        for (Forward forward : options.forwards()) {
            warnIfDenied(forward.target(), options);
            forwards.add(forward.listen().open(broxy, handler.tunnelTo(forward.target())));
        }
        ListenAddress adminAddress = options.admin().address();
        ProxyMonitor monitor = proxy.monitor();
        if (adminAddress == null || monitor == null) {
            admin = null;
        } else {
            monitor.watch(handler);
            AdminServer own = open(adminAddress, served(monitor, options.admin()));
            proxy.add(broxy.declareListener(own.address())::close);
            proxy.add(own::close);
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

    private ServedProxy served(ProxyMonitor monitor, AdminOptions options) throws IOException {
        return new ServedProxy(
                proxy.broxy(),
                handler,
                monitor,
                proxy::upstreams,
                () -> !draining,
                MiniServer.version(),
                options.hosts(),
                options.token());
    }

    /**
     * Starts to listen.
     *
     * @throws IOException if an address cannot be listened on, or a file cannot be used; nothing runs then
     */
    static RunningServer start(ServerOptions options) throws IOException {
        ProxyAssembly proxy = new ProxyAssembly(options);
        try {
            return new RunningServer(proxy, options);
        } catch (IOException | RuntimeException e) {
            proxy.close();
            throw e;
        }
    }

    private @Nullable ServerTls tls(TlsOptions options) throws IOException {
        TlsFiles pemFiles = options.files();
        if (pemFiles == null) {
            return null;
        }
        LiveTls live = LiveTls.start(pemFiles);
        proxy.add(live::close);
        proxy.files().add(live);
        return options.serverTls(live);
    }

    /** The clients of such a forward see no more than a reset. */
    private static void warnIfDenied(HostPort target, ServerOptions options) {
        AddressPolicy policy = Destinations.policy(options);
        InetAddress literal = target.address();
        if (literal != null && !options.reportOnly() && !policy.admits(literal, target.port())) {
            log.warn("--forward: clients will be reset, because {}", policy.explain(literal, target.port()));
        }
    }

    /** The sockets that serve its clients. */
    EngineStats.Transport transport() {
        return server.transport();
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
        if (proxy.files().isEmpty()) {
            log.info("SIGHUP: nothing to reload without --rules, --auth or --tls-cert");
            return;
        }
        boolean warn = false;
        List<String> texts = new ArrayList<>();
        for (Reloadable file : proxy.files()) {
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
        proxy.close();
    }
}
