package io.broxy.core.soak;

import io.broxy.AccessPolicy;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.LocalResponse;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.ServerTls;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.EngineBuffers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;

/**
 * The proxy with what is around it: origins, and another proxy by which a part of the targets is reached. Its timeouts are
 * short, so that hostile clients end soon, and long enough for good ones on a slow machine.
 *
 * <p>Threading: thread-safe.
 */
final class Scene implements AutoCloseable {
    /** How many connections a client may have at once. */
    static final int CONNECTIONS = 6;

    /** Reached directly. */
    static final String DIRECT = "direct.test";
    /** Reached by way of the other proxy. */
    static final String FAR = "far.test";
    /** Whom the access policy refuses. */
    static final String FORBIDDEN = "forbidden.test";
    /** Whose address is private. */
    static final String INSIDE = "inside.test";
    /** The zone of names with look-ups that hang for longer than a dial may take. */
    static final String HANGING = ".tarpit.test";

    private static final long HANGING_NANOS = TimeUnit.SECONDS.toNanos(4);

    /** That has no address. */
    static final String NOWHERE = "nowhere.test";

    private static final Duration POOLED = Duration.ofMillis(500);
    /** So many sessions are remembered, lest it looks as if memory grew. */
    private static final int SESSIONS = 100;

    private static final long RATE = 256L << 20;
    private static final Credentials UPSTREAM = Credentials.basic("soak", "between proxies");

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final Ledger ledger = new Ledger();
    private final Totals upstreamTotals = new Totals("the proxy behind");
    private final Broxy broxy;
    private final Broxy upstreamBroxy;
    private final ProxyHandler handler;
    private final ProxyHandler upstream;
    private final InetSocketAddress address;
    private final InetSocketAddress tlsAddress;
    private final SSLContext tlsClients = Certificates.loopback().client();
    private final Beside beside;
    private final int tunnelPort;
    private final int httpPort;
    private final int moodyPort;
    private final int loginPort;
    private final int closedPort;
    private final HostPort blackHole;

    Scene() throws IOException {
        beside = with(new Beside());
        tunnelPort = with(TunnelOrigin.start(ledger, beside)).port();
        httpPort = with(HttpOrigin.start(ledger)).port();
        moodyPort = with(HttpOrigin.start(ledger)).port();
        loginPort = with(LoginServer.start(ledger)).port();
        blackHole = with(BlackHole.open()).target();
        closedPort = bindClosedPort();
        upstreamBroxy = with(Broxy.builder().eventLoops(1).build());
        upstream = upstream(upstreamBroxy);
        ProxyServer far = upstreamBroxy.listen(loopback(), upstream);
        broxy = with(Broxy.builder().eventLoops(2).build());
        handler = handler(broxy, HostPort.of("127.0.0.1", ((InetSocketAddress) far.localAddress()).getPort()));
        address = (InetSocketAddress) broxy.listen(loopback(), handler).localAddress();
        SSLContext tls = Certificates.loopback().server();
        tls.getServerSessionContext().setSessionCacheSize(SESSIONS);
        tlsAddress = (InetSocketAddress)
                broxy.listen(loopback(), handler.overTls(ServerTls.of(tls))).localAddress();
        tlsClients.getClientSessionContext().setSessionCacheSize(SESSIONS);
    }

    private <T extends AutoCloseable> T with(T part) {
        parts.push(part);
        return part;
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    /** A port without a listener that no other process can bind. */
    private int bindClosedPort() throws IOException {
        Socket bound = with(new Socket());
        bound.bind(loopback());
        return bound.getLocalPort();
    }

    // ------------------------------------------------------------------ the two proxies

    private ProxyHandler handler(Broxy engine, HostPort far) {
        DirectDialer direct = engine.directDialer().resolver(Scene::resolve).build();
        Dialer chain =
                engine.httpProxyDialer(far).over(direct).credentials(UPSTREAM).build();
        Rules rules = Rules.builder().domain(FAR, Route.via("far")).build();
        return limits(engine.proxyHandler())
                .dialer(engine.routingDialer()
                        .direct(direct)
                        .hop("far", chain)
                        .rules(rules)
                        .build())
                .connPool(engine.connPool().idleTimeout(POOLED).reportLeaks(1).build())
                .addressPolicy(AddressPolicy.allowing(Cidr.parse("127.0.0.0/8")))
                .accessPolicy(AccessPolicy.hosts(FORBIDDEN)
                        .negate()
                        .and(AccessPolicy.ports(25).negate()))
                .authenticator(Authenticator.basic("soak", (user, password) -> password.equals(password(user))))
                .socks(true)
                .maxConnectionsPerClient(CONNECTIONS)
                .rateLimit(RATE)
                .rateLimitPerClient(RATE)
                .maxLifetime(Duration.ofMinutes(2))
                .proxyProtocol(Cidr.parse("127.128.0.0/9"))
                .localRequests(request ->
                        LocalResponse.builder(200).field("X-Own", "yes").build())
                .listener(ledger)
                .build();
    }

    private ProxyHandler upstream(Broxy engine) {
        return limits(engine.proxyHandler())
                .dialer(engine.directDialer().resolver(Scene::resolve).build())
                .connPool(engine.connPool().idleTimeout(POOLED).reportLeaks(1).build())
                .addressPolicy(AddressPolicy.allowing(Cidr.parse("127.0.0.0/8")))
                .authenticator(Authenticator.basic("far", UPSTREAM))
                .keepAliveTimeout(Duration.ofMinutes(1))
                .listener(upstreamTotals)
                .build();
    }

    private static ProxyHandler.Builder limits(ProxyHandler.Builder builder) {
        return builder.headTimeout(Duration.ofSeconds(6)) // with a TLS handshake, while many others begin theirs
                .dialTimeout(Duration.ofSeconds(2))
                .idleTimeout(Duration.ofSeconds(6))
                .halfCloseTimeout(Duration.ofSeconds(4))
                .writeStallTimeout(Duration.ofSeconds(3))
                .keepAliveTimeout(Duration.ofSeconds(6))
                .responseTimeout(Duration.ofSeconds(4))
                .bodyTimeout(Duration.ofSeconds(4))
                .authenticationTimeout(Duration.ofSeconds(5))
                .maxConnections(1_000);
    }

    private static List<InetAddress> resolve(String host) throws UnknownHostException {
        if (host.endsWith(HANGING)) {
            hang(host.startsWith("stubborn"));
        }
        return switch (host) {
            case DIRECT, FAR -> List.of(InetAddress.getLoopbackAddress());
            case INSIDE -> List.of(InetAddress.getByAddress(new byte[] {10, 0, 0, 1}));
            default -> throw new UnknownHostException(host);
        };
    }

    /** Like the system's resolver with a zone of silent servers, this ignores interrupts, unlike the others. */
    private static void hang(boolean stubborn) {
        long end = System.nanoTime() + HANGING_NANOS;
        boolean interrupted = false;
        for (long left; (left = end - System.nanoTime()) > 0 && (stubborn || !interrupted); ) {
            LockSupport.parkNanos(left);
            interrupted |= Thread.interrupted();
        }
    }

    /** A client's name, by which the proxy knows it. */
    static String user(int client) {
        return "client-" + client;
    }

    /** What a user's password is. */
    static String password(String user) {
        return "of " + user;
    }

    // ------------------------------------------------------------------ where things are

    Ledger ledger() {
        return ledger;
    }

    Beside beside() {
        return beside;
    }

    /** Where clients connect to. */
    InetSocketAddress address() {
        return address;
    }

    /** Where clients with TLS connect to. */
    InetSocketAddress tlsAddress() {
        return tlsAddress;
    }

    /** What those clients share, and with it their sessions. */
    SSLContext tlsClients() {
        return tlsClients;
    }

    int tunnelPort() {
        return tunnelPort;
    }

    int httpPort() {
        return httpPort;
    }

    /** The web server that closes idle connections. */
    int moodyPort() {
        return moodyPort;
    }

    /** The web server that logs connections in. */
    int loginPort() {
        return loginPort;
    }

    int closedPort() {
        return closedPort;
    }

    /** Where a dial never ends. */
    HostPort blackHole() {
        return blackHole;
    }

    // ------------------------------------------------------------------ its state

    /** Whether no client is served and no resources are held. */
    boolean isQuiet() {
        return ledger.isSettled() && isQuiet(handler.stats()) && isQuiet(upstream.stats());
    }

    private static boolean isQuiet(ProxyStats stats) {
        return stats.openConnections() + stats.openTunnels() + stats.openExchanges() + stats.openTlsHandshakes() == 0
                && stats.pool().idle() + stats.pool().leased() + stats.pool().opening() == 0
                && stats.lookUps().waiting() + stats.lookUps().threads() == 0;
    }

    /** Bytes that the two engines keep for slow peers. */
    long heldBytes() {
        return EngineBuffers.held(broxy) + EngineBuffers.held(upstreamBroxy);
    }

    /** The counters of the proxy. */
    ProxyStats stats() {
        return handler.stats();
    }

    /** Ends the service of both; false if a client was still being served. */
    boolean drain(Duration grace) throws InterruptedException {
        boolean drained = handler.drain(grace);
        return upstream.drain(grace) && drained;
    }

    /** What does not add up at the end. */
    List<String> faults() {
        List<String> faults = new ArrayList<>(ledger.faults());
        faults.addAll(ledger.unsettled());
        faults.addAll(ledger.totals().faults(handler.stats(), ledger.upgrades()));
        faults.addAll(upstreamTotals.faults(upstream.stats(), 0));
        return faults;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable part; (part = parts.poll()) != null; ) {
            part.close();
        }
    }
}
