package io.broxy.core.proxyprotocol;

import static io.broxy.core.testkit.Dialed.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.Cidr;
import io.broxy.ConnPool;
import io.broxy.ConnectRequest;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.PoolStats;
import io.broxy.ProxyListener;
import io.broxy.ProxyProtocol;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies how a handler's dialer sends the address of the handler's client to the next hop or the origin. */
@ExtendWith(LeakCheck.class)
class SentClientAddressTest {
    private static final Cidr LOOPBACK = Cidr.parse("127.0.0.0/8");

    private final BlockingQueue<String> headers = new LinkedBlockingQueue<>();

    private String header() throws InterruptedException {
        return headers.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static Dialer announcing(Broxy broxy, ProxyProtocol version) {
        return broxy.withProxyHeader(broxy.directDialer().build(), version);
    }

    /** A proxy with a dialer that is built on one that announces clients. */
    private static Proxy proxy(ProxyProtocol version, BiFunction<Broxy, Dialer, Dialer> dialer) throws IOException {
        return Proxy.start((broxy, settings) -> settings.dialer(dialer.apply(broxy, announcing(broxy, version))));
    }

    private static Proxy proxy(ProxyProtocol version) throws IOException {
        return proxy(version, (broxy, announcing) -> announcing);
    }

    private static String of(ProxyProtocol version, Peer client) {
        return SentHeader.of(
                version,
                client.socket().getLocalSocketAddress(),
                client.socket().getRemoteSocketAddress());
    }

    /** Records the header, and echoes the bytes after it. */
    private Origin echo() throws IOException {
        return Origin.start(peer -> {
            headers.add(SentHeader.read(peer));
            peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
            peer.shutdownOutput();
        });
    }

    /** Answers each request with the header of its connection. */
    private Origin tellingHeader() throws IOException {
        return Origin.start(peer -> {
            String header = SentHeader.read(peer);
            while (true) {
                Http.read(peer);
                peer.send(Http.ok(header));
            }
        });
    }

    private static String exchange(Peer client, String request) throws IOException {
        client.send(request);
        Http.Message answer = Http.read(client);
        assertThat(answer.status()).isEqualTo(200);
        return answer.body();
    }

    // ------------------------------------------------------------------ tunnels

    @ParameterizedTest
    @EnumSource
    void theOriginOfATunnelReceivesTheClientBeforeItsEarlyBytes(ProxyProtocol version) throws Exception {
        try (Origin origin = echo();
                Proxy proxy = proxy(version);
                Peer client = proxy.client()) {
            client.send(Proxy.connectHead(origin.target()) + "early");

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(client.readText(5)).isEqualTo("early");
            assertThat(header()).isEqualTo(of(version, client));
            client.shutdownOutput().expectEnd();
        }
    }

    @Test
    void overIpv6TheHeaderIsOfThatFamily() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        try (Origin origin = echo();
                Proxy proxy = proxy(ProxyProtocol.V2);
                ProxyServer server = proxy.broxy().listen(new InetSocketAddress(loopback, 0), proxy.handler());
                Peer client = Peer.connect(server.localAddress())) {
            client.send(Proxy.connectHead(origin.target()));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(header())
                    .isEqualTo(
                            "V2 PROXY TCP6 0:0:0:0:0:0:0:1 " + client.socket().getLocalPort() + " 0:0:0:0:0:0:0:1 "
                                    + client.socket().getPort());
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfClientIsAnnounced(Client.Form form) throws Exception {
        try (Origin origin = echo();
                Proxy proxy = proxy(ProxyProtocol.V1);
                Client asking = form.ask(proxy.handler(), origin.target());
                Client read = form.serve(proxy.handler(), ConnectRequest.to(origin.target()))) {
            assertThat(asking.peer().readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(read.peer().readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(List.of(header(), header()))
                    .containsExactlyInAnyOrder(of(ProxyProtocol.V1, asking.peer()), of(ProxyProtocol.V1, read.peer()));
        }
    }

    @Test
    void aDialerOfOnesOwnSeesTheClientOfATunnel() throws Exception {
        BlockingQueue<DialRequest.Client> seen = new LinkedBlockingQueue<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    Dialer direct = broxy.directDialer().build();
                    settings.dialer(request -> {
                        DialRequest.Client client = request.client();
                        if (client != null) {
                            seen.add(client);
                        }
                        return direct.dial(request);
                    });
                });
                Peer client = proxy.connect(origin.target())) {
            assertThat(seen.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(new DialRequest.Client(
                            client.socket().getLocalSocketAddress(),
                            client.socket().getRemoteSocketAddress()));
        }
    }

    // ------------------------------------------------------------------ plain HTTP

    @ParameterizedTest
    @EnumSource
    void requestsOfTwoClientsNeverShareAConnection(ProxyProtocol version) throws Exception {
        try (Origin origin = tellingHeader();
                Proxy proxy = proxy(version);
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            for (int i = 0; i < 5; i++) {
                assertThat(exchange(one, Http.get(origin.target(), "/"))).isEqualTo(of(version, one));
                assertThat(exchange(two, Http.get(origin.target(), "/"))).isEqualTo(of(version, two));
            }
            assertThat(origin.accepted()).isEqualTo(10);
        }
    }

    @Test
    void ofClientsAtOnceNoConnectionIsKept() throws Exception {
        List<Peer> clients = new ArrayList<>();
        try (Origin origin = tellingHeader();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.connPool(
                                broxy.connPool().maxIdlePerKey(3).build())
                        .dialer(announcing(broxy, ProxyProtocol.V2)))) {
            for (int i = 0; i < 10; i++) {
                clients.add(proxy.client());
            }
            for (int i = 0; i < 2; i++) {
                for (Peer client : clients) {
                    assertThat(exchange(client, Http.get(origin.target(), "/")))
                            .isEqualTo(of(ProxyProtocol.V2, client));
                }
            }
            assertThat(origin.accepted()).isEqualTo(20);
            awaitAllClosed(() -> proxy.handler().stats().pool(), 20);
        } finally {
            for (Peer client : clients) {
                client.close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void nothingIsKeptForAClient(boolean upstreamsPool) throws Exception {
        List<ConnPool> pools = new ArrayList<>();
        try (Origin upstream = tellingHeader();
                Proxy proxy = Proxy.start((broxy, settings) -> {
                    ConnPool pool = broxy.connPool().build();
                    pools.add(pool);
                    HttpProxyDialer.Builder dialer =
                            broxy.httpProxyDialer(upstream.target()).over(announcing(broxy, ProxyProtocol.V2));
                    if (upstreamsPool) {
                        dialer.pool(pool);
                    } else {
                        settings.connPool(pool);
                    }
                    settings.dialer(dialer.build());
                });
                Peer staying = proxy.client()) {
            HostPort origin = HostPort.parse("one.example:80");
            assertThat(exchange(staying, Http.get(origin, "/"))).isEqualTo(of(ProxyProtocol.V2, staying));
            for (int i = 0; i < 5; i++) {
                try (Peer client = proxy.client()) {
                    assertThat(exchange(client, Http.get(origin, "/"))).isEqualTo(of(ProxyProtocol.V2, client));
                }
            }
            awaitAllClosed(pools.get(0)::stats, 6);
            assertThat(exchange(staying, Http.get(origin, "/"))).isEqualTo(of(ProxyProtocol.V2, staying));
            assertThat(upstream.accepted()).isEqualTo(7);
            awaitAllClosed(pools.get(0)::stats, 7);
        }
    }

    /** A client has its answer a moment before the connection is given back. */
    private static void awaitAllClosed(Supplier<PoolStats> pool, int count) {
        await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                .until(() -> pool.get().discarded() == count);
        PoolStats stats = pool.get();
        assertThat(stats.created()).isEqualTo(count);
        assertThat(stats.reused()).isZero();
        assertThat(stats.idle()).isZero();
        assertThat(stats.leased()).isZero();
        assertThat(stats.evicted()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void anHttpProxyInBetweenReceivesEachClient(boolean pooled) throws Exception {
        try (Origin upstream = Origin.start(peer -> {
                    String header = SentHeader.read(peer);
                    while (true) {
                        Http.Message request = Http.read(peer);
                        if (request.head().startsWith("CONNECT ")) { // refused, so that the connection can go on
                            peer.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\nX: " + header + "\r\n\r\n");
                            headers.add(header);
                        } else {
                            assertThat(request.head()).startsWith("GET http://one.example/ HTTP/1.1\r\n");
                            peer.send(Http.ok(header));
                        }
                    }
                });
                Proxy proxy = proxy(ProxyProtocol.V2, (broxy, announcing) -> {
                    HttpProxyDialer.Builder builder =
                            broxy.httpProxyDialer(upstream.target()).over(announcing);
                    return (pooled ? builder.pool(broxy.connPool().build()) : builder).build();
                });
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            HostPort origin = HostPort.parse("one.example:80");
            for (int i = 0; i < 3; i++) {
                assertThat(exchange(one, Http.get(origin, "/"))).isEqualTo(of(ProxyProtocol.V2, one));
                assertThat(exchange(two, Http.get(origin, "/"))).isEqualTo(of(ProxyProtocol.V2, two));
            }
            assertThat(upstream.accepted()).isEqualTo(6);
            for (Peer client : List.of(one, two)) {
                client.send(Proxy.connectHead(HostPort.parse("db.example:5432")));
                assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
                assertThat(header()).isEqualTo(of(ProxyProtocol.V2, client));
            }
            assertThat(upstream.accepted()).isEqualTo(8);
        }
    }

    @Test
    void sparesNameNoClientAndServeNone() throws Exception {
        try (Origin upstream = tellingHeader();
                Broxy broxy = Broxy.builder().eventLoops(1).build();
                ConnPool pool = broxy.connPool().build()) {
            HttpProxyDialer dialer = broxy.httpProxyDialer(upstream.target())
                    .over(announcing(broxy, ProxyProtocol.V2))
                    .pool(pool)
                    .build();
            pool.warm(dialer.key(), 1);
            try (ConnPool.Lease lease = pool.lease(dialer.key())) {
                write(lease.connection(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                Peer peer = new Peer(lease.connection().asSocket());
                assertThat(Http.read(peer).body()).isEqualTo(SentHeader.ofNobody(ProxyProtocol.V2));
            }
        }
    }

    @Test
    void aroundAnHttpProxysDialerTheOriginReceivesTheHeaderThroughTheTunnel() throws Exception {
        try (Origin origin = tellingHeader();
                Proxy upstream = Proxy.start();
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(broxy.withProxyHeader(
                        broxy.httpProxyDialer(HostPort.of(
                                        "127.0.0.1", upstream.address().getPort()))
                                .build(),
                        ProxyProtocol.V2)));
                Peer client = proxy.client()) {
            for (int i = 0; i < 2; i++) {
                assertThat(exchange(client, Http.get(origin.target(), "/"))).isEqualTo(of(ProxyProtocol.V2, client));
            }
            assertThat(upstream.handler().stats().establishedTunnels()).isEqualTo(2);
        }
    }

    @Test
    void byRulesOnlyTheHopThatSendsTheAddressKeepsClientsApart() throws Exception {
        try (Origin told = tellingHeader();
                Origin untold = Http.echo();
                Proxy proxy = proxy(
                        ProxyProtocol.V2,
                        (broxy, announcing) -> broxy.routingDialer()
                                .hop("told", announcing)
                                .rules(Rules.builder()
                                        .port(told.port(), Route.via("told"))
                                        .otherwise(Route.direct())
                                        .build())
                                .build());
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            for (Peer client : List.of(one, two)) {
                assertThat(exchange(client, Http.get(told.target(), "/"))).isEqualTo(of(ProxyProtocol.V2, client));
                assertThat(exchange(client, Http.get(untold.target(), "/"))).isEqualTo("GET / ");
            }
            assertThat(told.accepted()).isEqualTo(2);
            assertThat(untold.accepted()).isEqualTo(1);
        }
    }

    /** A dialer that hides the one that announces must not have one client taken for another. */
    @Test
    void aUsersDialerThatDoesNotDeclareItSendsNoClientAddress() throws Exception {
        try (Origin origin = tellingHeader();
                Proxy proxy = proxy(ProxyProtocol.V2, (broxy, announcing) -> request -> announcing.dial(request));
                Peer one = proxy.client();
                Peer two = proxy.client()) {
            assertThat(exchange(one, Http.get(origin.target(), "/"))).isEqualTo(SentHeader.ofNobody(ProxyProtocol.V2));
            assertThat(exchange(two, Http.get(origin.target(), "/"))).isEqualTo(SentHeader.ofNobody(ProxyProtocol.V2));
        }
    }

    // ------------------------------------------------------------------ from hop to hop

    @ParameterizedTest
    @CsvSource({"V1, false", "V1, true", "V2, false", "V2, true"})
    void aSecondBroxySeesTheClientOfTheFirst(ProxyProtocol version, boolean tunnel) throws Exception {
        BlockingQueue<SocketAddress> seen = new LinkedBlockingQueue<>();
        try (Origin origin = tunnel ? Origin.echo() : Http.echo();
                Proxy far =
                        Proxy.start(settings -> settings.proxyProtocol(LOOPBACK).listener(new ProxyListener() {
                            @Override
                            public void connectionOpened(ProxyListener.Client client) {
                                seen.add(client.address());
                            }
                        }));
                Proxy near = proxy(
                        version,
                        (broxy, announcing) -> broxy.httpProxyDialer(
                                        HostPort.of("127.0.0.1", far.address().getPort()))
                                .over(announcing)
                                .build());
                Peer client = near.client()) {
            if (tunnel) {
                client.send(Proxy.connectHead(origin.target()) + "early");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(client.readText(5)).isEqualTo("early");
            } else {
                assertThat(exchange(client, Http.get(origin.target(), "/"))).isEqualTo("GET / ");
            }
            assertThat(seen.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(client.socket().getLocalSocketAddress());
        }
    }

    @Test
    void theClientThatABalancerHasAnnouncedIsAnnouncedOn() throws Exception {
        String told = "PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n";
        try (Origin origin = tellingHeader();
                Proxy proxy = Proxy.start((broxy, settings) ->
                        settings.proxyProtocol(LOOPBACK).dialer(announcing(broxy, ProxyProtocol.V2)));
                Peer client = proxy.client();
                Peer ofNobody = proxy.client()) {
            client.send(told);
            assertThat(exchange(client, Http.get(origin.target(), "/")))
                    .isEqualTo("V2 PROXY TCP4 203.0.113.7 40000 198.51.100.1 443");
            ofNobody.send("PROXY UNKNOWN\r\n");
            assertThat(exchange(ofNobody, Http.get(origin.target(), "/"))).isEqualTo(of(ProxyProtocol.V2, ofNobody));
        }
    }

    @ParameterizedTest
    @EnumSource
    void haproxyTakesTheHeader(ProxyProtocol version, @TempDir Path folder) throws Exception {
        String program = Daemon.program("haproxy");
        try (Daemon haproxy = Daemon.start(folder.resolve("log"), port -> {
                    Path file = Files.writeString(folder.resolve("haproxy.cfg"), """
                            defaults
                                mode http
                                timeout client 1m
                                timeout server 1m
                                timeout connect 1m
                            frontend receiver
                                bind 127.0.0.1:%d accept-proxy
                                http-request return status 200 hdr x-seen "%%[src]:%%[src_port] %%[dst]:%%[dst_port]"
                            """.formatted(port));
                    return List.of(program, "-db", "-f", file.toString());
                });
                Proxy proxy = proxy(version);
                Peer client = proxy.client();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<?> second = proxy.handler().handle(accepted.end()).completion();
            for (Peer peer : List.of(client, accepted.client(), client)) {
                String from = "127.0.0.1:" + peer.socket().getLocalPort();
                String to = "127.0.0.1:" + peer.socket().getPort();
                peer.send(Http.get(haproxy.target(), "/"));
                assertThat(peer.readHead())
                        .contains("\r\nx-seen: " + from + " " + to + "\r\n", "\r\ncontent-length: 0\r\n");
            }
            accepted.client().shutdownOutput();
            second.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }
}
