package io.broxy.core.proxyprotocol;

import static io.broxy.core.testkit.Dialed.failure;
import static io.broxy.core.testkit.Dialed.read;
import static io.broxy.core.testkit.Dialed.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyProtocol;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import io.broxy.core.testkit.TlsOrigin;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Specifies the PROXY headers that a dialer sends, as Netty reads them. */
@ExtendWith(LeakCheck.class)
class ProxyHeaderDialerTest {
    private static final int BUFFER = 4_096;
    private static final DialRequest.Client CLIENT = client("192.0.2.7", "198.51.100.1");

    private final BlockingQueue<String> headers = new LinkedBlockingQueue<>();
    private Broxy broxy;

    /** The ways to dial. */
    enum Way {
        ON_THE_CALLER {
            @Override
            Connection dial(Dialer dialer, DialRequest request) throws DialException {
                return dialer.dial(request);
            }
        },
        ON_A_LOOP {
            @Override
            Connection dial(Dialer dialer, DialRequest request) throws DialException {
                try {
                    return dialer.dialAsync(request, Runnable::run).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
                } catch (ExecutionException e) {
                    throw (DialException) e.getCause();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        };

        abstract Connection dial(Dialer dialer, DialRequest request) throws DialException;
    }

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private static DialRequest.Client client(String source, String destination) {
        return new DialRequest.Client(new InetSocketAddress(source, 40_000), new InetSocketAddress(destination, 3_128));
    }

    private static DialRequest request(HostPort target) {
        return DialRequest.builder(target).client(CLIENT).build();
    }

    private static String ofClient(ProxyProtocol version) {
        return SentHeader.of(version, CLIENT.source(), CLIENT.destination());
    }

    private Dialer announcing(ProxyProtocol version) {
        return broxy.withProxyHeader(broxy.directDialer().build(), version);
    }

    /** Records the header, and echoes the bytes after it. */
    private Origin origin() throws IOException {
        return Origin.start(this::echoBehindHeader);
    }

    private void echoBehindHeader(Peer peer) throws IOException {
        headers.add(SentHeader.read(peer));
        peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
    }

    private String header() throws InterruptedException {
        return headers.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static void assertEchoes(Connection connection) throws IOException {
        write(connection, "there and back");
        assertThat(read(connection, 14)).isEqualTo("there and back");
    }

    static Stream<Arguments> waysAndVersions() {
        return Stream.of(Way.values())
                .flatMap(way -> Stream.of(ProxyProtocol.values()).map(version -> Arguments.of(way, version)));
    }

    // ------------------------------------------------------------------ content of the header

    @ParameterizedTest
    @MethodSource("waysAndVersions")
    void theClientIsAnnouncedBeforeAnythingElse(Way way, ProxyProtocol version) throws Exception {
        try (Origin origin = origin();
                Connection connection = way.dial(announcing(version), request(origin.target()))) {
            assertThat(header()).isEqualTo(ofClient(version));
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @MethodSource("waysAndVersions")
    void withoutAClientItIsAConnectionOfOurOwn(Way way, ProxyProtocol version) throws Exception {
        try (Origin origin = origin();
                Connection connection = way.dial(announcing(version), DialRequest.to(origin.target()))) {
            assertThat(header()).isEqualTo(SentHeader.ofNobody(version));
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2001:db8::7, 2001:db8::1, TCP6 2001:db8::7 40000 2001:db8::1 3128, TCP6 2001:db8:0:0:0:0:0:7 40000 2001:db8:0:0:0:0:0:1 3128",
        "192.0.2.7, 2001:db8::1, TCP6 ::ffff:192.0.2.7 40000 2001:db8::1 3128, TCP6 0:0:0:0:0:ffff:c000:207 40000 2001:db8:0:0:0:0:0:1 3128",
        "2001:db8::7, 192.0.2.1, TCP6 2001:db8::7 40000 ::ffff:192.0.2.1 3128, TCP6 2001:db8:0:0:0:0:0:7 40000 0:0:0:0:0:ffff:c000:201 3128",
        "::ffff:192.0.2.7, 192.0.2.1, TCP4 192.0.2.7 40000 192.0.2.1 3128, TCP4 192.0.2.7 40000 192.0.2.1 3128",
    })
    void bothAddressesAreOfOneFamily(String source, String destination, String text, String binary) throws Exception {
        try (Origin origin = origin()) {
            DialRequest request = DialRequest.builder(origin.target())
                    .client(client(source, destination))
                    .build();
            announcing(ProxyProtocol.V1).dial(request).close();
            assertThat(header()).isEqualTo("V1 PROXY " + text);
            announcing(ProxyProtocol.V2).dial(request).close();
            assertThat(header()).isEqualTo("V2 PROXY " + binary);
        }
    }

    static Stream<Arguments> addressesThatCannotBeTold() {
        SocketAddress good = new InetSocketAddress("192.0.2.7", 1);
        SocketAddress unix = UnixDomainSocketAddress.of("/run/somewhere");
        SocketAddress unresolved = InetSocketAddress.createUnresolved("client.example", 1);
        return Stream.of(
                Arguments.of(good, unix),
                Arguments.of(unix, unix),
                Arguments.of(unresolved, good),
                Arguments.of(good, unresolved));
    }

    @ParameterizedTest
    @MethodSource("addressesThatCannotBeTold")
    void addressesOtherThanTcpAreNotAnnounced(SocketAddress source, SocketAddress destination) throws Exception {
        try (Origin origin = origin()) {
            DialRequest request = DialRequest.builder(origin.target())
                    .client(new DialRequest.Client(source, destination))
                    .build();
            for (ProxyProtocol version : ProxyProtocol.values()) {
                announcing(version).dial(request).close();
                assertThat(header()).isEqualTo(SentHeader.ofNobody(version));
            }
        }
    }

    // ------------------------------------------------------------------ recipients of the header

    @ParameterizedTest
    @EnumSource
    void anHttpProxyReceivesTheHeaderBeforeAnyRequest(Way way) throws Exception {
        try (Origin upstream = Origin.start(peer -> {
                    headers.add(SentHeader.read(peer));
                    assertThat(peer.readHead()).startsWith("CONNECT db.example:5432 HTTP/1.1\r\n");
                    peer.send("HTTP/1.1 200 OK\r\n\r\n");
                    peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                });
                Connection connection = way.dial(
                        broxy.httpProxyDialer(upstream.target())
                                .over(announcing(ProxyProtocol.V2))
                                .build(),
                        request(HostPort.parse("db.example:5432")))) {
            assertThat(header()).isEqualTo(ofClient(ProxyProtocol.V2));
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anHttpsProxyReceivesTheHeaderBeforeTheTlsHandshake(Way way) throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin upstream = Origin.start(peer -> {
                    headers.add(SentHeader.read(peer));
                    Peer secure = new Peer(TlsOrigin.accept(certificates.server(), peer));
                    secure.readHead();
                    secure.send("HTTP/1.1 200 OK\r\n\r\n");
                    secure.send(secure.read(14));
                    secure.readAll();
                });
                Connection connection = way.dial(
                        broxy.httpProxyDialer(upstream.target())
                                .over(announcing(ProxyProtocol.V1))
                                .tls(certificates.client())
                                .build(),
                        request(HostPort.parse("db.example:5432")))) {
            assertThat(header()).isEqualTo(ofClient(ProxyProtocol.V1));
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSocksProxyReceivesTheHeaderBeforeAnyRequest(Way way) throws Exception {
        try (Origin target = Origin.echo();
                Origin upstream = Origin.start(peer -> {
                    headers.add(SentHeader.read(peer));
                    SocksServer.relay(peer);
                });
                Connection connection = way.dial(
                        broxy.socks5Dialer(upstream.target())
                                .over(announcing(ProxyProtocol.V2))
                                .build(),
                        request(target.target()))) {
            assertThat(header()).isEqualTo(ofClient(ProxyProtocol.V2));
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aroundADialerThroughAProxyTheTargetReceivesTheHeader(Way way) throws Exception {
        try (Origin target = origin();
                Proxy upstream = Proxy.start();
                Connection connection = way.dial(
                        broxy.withProxyHeader(
                                broxy.httpProxyDialer(HostPort.of(
                                                "127.0.0.1", upstream.address().getPort()))
                                        .build(),
                                ProxyProtocol.V2),
                        request(target.target()))) {
            assertThat(header()).isEqualTo(ofClient(ProxyProtocol.V2));
            assertEchoes(connection);
        }
    }

    @ParameterizedTest
    @EnumSource
    @EnabledOnOs(OS.LINUX) // where all of 127.0.0.0/8 is the loopback
    void onlyTheWinnerOfARaceReceivesTheHeader(Way way) throws Exception {
        Dialer racing = broxy.directDialer()
                .resolver(host ->
                        List.of(InetAddress.getByAddress(new byte[] {127, 0, 0, 2}), InetAddress.getLoopbackAddress()))
                .attemptDelay(Duration.ofMillis(10))
                .build();
        try (Origin winner = origin();
                BlackHole loser = BlackHole.open(new InetSocketAddress("127.0.0.2", winner.port()));
                Connection connection = way.dial(
                        broxy.withProxyHeader(racing, ProxyProtocol.V1),
                        request(HostPort.of("db.example", loser.target().port())))) {
            assertThat(header()).isEqualTo(ofClient(ProxyProtocol.V1));
            assertEchoes(connection);
            assertThat(headers).isEmpty();
        }
    }

    @Test
    void itDeclaresThatItSendsTheClientAddress() {
        Dialer direct = broxy.directDialer().build();
        Dialer announcing = announcing(ProxyProtocol.V2);
        HostPort hop = HostPort.parse("hop.example:3128");

        assertThat(direct.sendsClientAddress()).isFalse();
        assertThat(announcing.sendsClientAddress()).isTrue();
        assertThat(broxy.httpProxyDialer(hop).build().sendsClientAddress()).isFalse();
        assertThat(broxy.httpProxyDialer(hop).over(announcing).build().sendsClientAddress())
                .isTrue();
        assertThat(broxy.httpProxyDialer(hop)
                        .over(announcing)
                        .tls(Certificates.loopback().client())
                        .build()
                        .sendsClientAddress())
                .isTrue();
        assertThat(broxy.socks5Dialer(hop).over(announcing).build().sendsClientAddress())
                .isTrue();
        assertThat(broxy.routingDialer().build().sendsClientAddress()).isFalse();
        assertThat(broxy.routingDialer()
                        .hop("told", announcing)
                        .rules(Rules.always(Route.via("told")))
                        .build()
                        .sendsClientAddress())
                .isTrue();
    }

    // ------------------------------------------------------------------ pools

    @Test
    void aLeaseOfOnesOwnNamesNoClientAndItsConnectionIsKept() throws Exception {
        try (Origin origin = origin();
                ConnPool pool = broxy.connPool().build()) {
            ConnPool.Key key = ConnPool.Key.of(origin.target(), announcing(ProxyProtocol.V2));
            reuse(pool, key, false);
            assertThat(header()).isEqualTo(SentHeader.ofNobody(ProxyProtocol.V2));

            reuse(pool, key, true);
            assertThat(headers).isEmpty();
        }
    }

    private static void reuse(ConnPool pool, ConnPool.Key key, boolean idleBefore) throws IOException {
        ConnPool.Lease lease = pool.lease(key);
        assertThat(lease.wasIdle()).isEqualTo(idleBefore);
        assertEchoes(lease.connection());
        lease.giveBack();
    }

    // ------------------------------------------------------------------ failures

    @ParameterizedTest
    @EnumSource
    void aHeaderThatCannotBeSentFailsTheDial(Way way) throws Exception {
        try (Accepted<SocketChannel> pair = Accepted.channel()) {
            Dialer broken = request -> {
                try {
                    Connection connection = broxy.asConnection(pair.end());
                    connection.shutdownOutput();
                    return connection;
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            };
            Dialer dialer = broxy.withProxyHeader(broken, ProxyProtocol.V2);
            HostPort target = HostPort.parse("db.example:5432");

            assertThatThrownBy(() -> way.dial(dialer, request(target)))
                    .isInstanceOfSatisfying(DialException.class, failure -> {
                        assertThat(failure.reason()).isEqualTo(Reason.PROTOCOL);
                        assertThat(failure.target()).isEqualTo(target);
                        assertThat(failure).hasMessageContaining("(the PROXY header could not be sent: ");
                    });
            assertThat(pair.end().isOpen()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFailureOfTheDialerBelowIsItsOwn(Way way) throws Exception {
        HostPort nobody = HeldPort.refusing();
        assertThatThrownBy(() -> way.dial(announcing(ProxyProtocol.V2), request(nobody)))
                .isInstanceOfSatisfying(
                        DialException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(Reason.REFUSED));
        assertThat(failure(announcing(ProxyProtocol.V1), request(nobody)).attempts())
                .hasSize(1);
    }

    /** A connection that takes nothing more until its far end reads. */
    private record Full(Peer client, SocketChannel end, int filled) implements AutoCloseable {
        static Full open() throws IOException {
            Socket socket = new Socket();
            socket.setReceiveBufferSize(BUFFER);
            try (ServerSocketChannel server =
                    ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
                socket.connect(server.getLocalAddress(), Peer.PATIENCE_MILLIS);
                SocketChannel end = server.accept();
                end.setOption(StandardSocketOptions.SO_SNDBUF, BUFFER);
                end.configureBlocking(false);
                return new Full(new Peer(socket), end, fill(end));
            }
        }

        /** The kernel moves what it has to the far end for a while, so it is full when it has stayed so. */
        private static int fill(SocketChannel end) {
            AtomicInteger filled = new AtomicInteger();
            await().pollInterval(Duration.ofMillis(2))
                    .during(Duration.ofMillis(100))
                    .atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> {
                        int count = end.write(ByteBuffer.allocate(1));
                        for (int more = count; more > 0; count += more) {
                            more = end.write(ByteBuffer.allocate(BUFFER));
                        }
                        filled.addAndGet(count);
                        return count == 0;
                    });
            return filled.get();
        }

        @Override
        public void close() throws IOException {
            client.close();
            end.close();
        }
    }

    private Dialer giving(SocketChannel channel) {
        return request -> {
            try {
                return broxy.asConnection(channel);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        };
    }

    @Test
    void onALoopASlowPeerBlocksNoThread() throws Exception {
        try (Full pair = Full.open()) {
            CompletableFuture<Connection> dial = broxy.withProxyHeader(giving(pair.end()), ProxyProtocol.V2)
                    .dialAsync(request(HostPort.parse("db.example:5432")), Runnable::run);

            pair.client().read(pair.filled());
            assertThat(SentHeader.read(pair.client())).isEqualTo(ofClient(ProxyProtocol.V2));
            try (Connection connection = dial.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                write(connection, "behind it");
                assertThat(pair.client().readText(9)).isEqualTo("behind it");
            }
        }
    }

    @Test
    void onALoopAPeerThatNeverReadsEndsTheDialInItsTime() throws Exception {
        try (Full pair = Full.open()) {
            DialRequest request = request(HostPort.parse("db.example:5432")).toBuilder()
                    .timeout(Duration.ofMillis(200))
                    .build();

            assertThatThrownBy(() ->
                            Way.ON_A_LOOP.dial(broxy.withProxyHeader(giving(pair.end()), ProxyProtocol.V2), request))
                    .isInstanceOfSatisfying(DialException.class, failure -> {
                        assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
                        assertThat(failure).hasRootCauseInstanceOf(SocketTimeoutException.class);
                    });
        }
    }

    @Test
    void theEndOfTheEngineEndsADialThatWaits() throws Exception {
        try (Full pair = Full.open()) {
            CompletableFuture<Connection> dial = broxy.withProxyHeader(giving(pair.end()), ProxyProtocol.V2)
                    .dialAsync(request(HostPort.parse("db.example:5432")), Runnable::run);

            broxy.close();

            assertThatThrownBy(() -> dial.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .cause()
                    .isInstanceOfSatisfying(
                            DialException.class,
                            failure -> assertThat(failure.reason()).isEqualTo(Reason.CANCELLED));
        }
    }
}
