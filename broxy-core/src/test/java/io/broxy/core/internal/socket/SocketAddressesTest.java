package io.broxy.core.internal.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Connection;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which addresses a connected socket reports: those that were reached, or none, and IPv6 addresses with
 * their scope.
 */
@ExtendWith(LeakCheck.class)
class SocketAddressesTest {
    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private Dialer direct(String... addresses) {
        return broxy.directDialer()
                .resolver(host -> {
                    InetAddress[] all = new InetAddress[addresses.length];
                    for (int i = 0; i < all.length; i++) {
                        all[i] = InetAddress.getByName(addresses[i]);
                    }
                    return List.of(all);
                })
                .build();
    }

    private static Origin proxy() throws IOException {
        return Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            peer.readAll();
        });
    }

    // ------------------------------------------------------------------ dialed by name

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void socketDialedByNameTellsTheAddressThatWasReached(String address) throws Exception {
        try (Origin origin = Origin.start(InetAddress.getByName(address), peer -> peer.readAll());
                Socket socket = broxy.asSocketFactory(direct(address)).createSocket("db.example", origin.port())) {
            assertThat(socket.getInetAddress()).isEqualTo(InetAddress.getByName(address));
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(origin.address());
            assertThat(socket.getPort()).isEqualTo(origin.port());
        }
    }

    @Test
    void ofSeveralAddressesItIsTheOneThatAnswered() throws Exception {
        try (Origin origin = Origin.start(InetAddress.getByName("127.0.0.2"), peer -> peer.readAll());
                Socket socket = broxy.asSocketFactory(direct("::1", "127.0.0.3", "127.0.0.2"))
                        .createSocket("db.example", origin.port())) {
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(origin.address());
        }
    }

    @Test
    void socketDialedByNameThroughAnHttpProxyTellsNone() throws Exception {
        try (Origin proxy = proxy();
                Socket socket = broxy.asSocketFactory(
                                broxy.httpProxyDialer(proxy.target()).build())
                        .createSocket("ftp.example", proxy.port())) {
            assertTellsNone(socket, "ftp.example", proxy.port());
        }
    }

    @Test
    void socketDialedByNameThroughASocksProxyTellsNone() throws Exception {
        try (Origin proxy = Origin.start(peer -> {
                    SocksServer.accept(peer);
                    peer.send(SocksServer.OPEN);
                    peer.readAll();
                });
                Socket socket = broxy.asSocketFactory(
                                broxy.socks5Dialer(proxy.target()).build())
                        .createSocket("ftp.example", 21)) {
            assertTellsNone(socket, "ftp.example", 21);
        }
    }

    @Test
    void socketOfADialerThatSpeaksToAProxyItselfTellsNone() throws Exception {
        Dialer direct = broxy.directDialer().build();
        try (Origin proxy = Origin.discard();
                Socket socket = broxy.asSocketFactory(request -> direct.dial(proxy.target()))
                        .createSocket("ftp.example", proxy.port())) {
            assertTellsNone(socket, "ftp.example", proxy.port());
        }
    }

    private static void assertTellsNone(Socket socket, String host, int port) {
        assertThat(socket.isConnected()).isTrue();
        assertThat(socket.getInetAddress()).isNull();
        assertThat(socket.getPort()).isEqualTo(port);
        assertThat(socket.getRemoteSocketAddress()).isEqualTo(InetSocketAddress.createUnresolved(host, port));
        assertThat(socket.getLocalPort()).isPositive();
        assertThat(socket.toString()).isNotEmpty();
    }

    @Test
    void tlsIsLaidOverASocketThatTellsNone() throws Exception {
        Certificates certificates = Certificates.loopback();
        try (Origin proxy = Origin.start(peer -> {
            peer.readHead();
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            try (SSLSocket secure = io.broxy.core.testkit.TlsOrigin.accept(certificates.server(), peer)) {
                secure.getOutputStream().write(secure.getInputStream().read());
            }
        })) {
            Socket plain = broxy.asSocketFactory(
                            broxy.httpProxyDialer(proxy.target()).build())
                    .createSocket("localhost", 443);
            try (Socket secure = certificates.client().getSocketFactory().createSocket(plain, "localhost", 443, true)) {
                secure.getOutputStream().write(7);
                assertThat(secure.getInputStream().read()).isEqualTo(7);
                assertThat(secure.getInetAddress()).isNull();
            }
        }
    }

    @Test
    void requestedAddressIsReportedThroughAProxyToo() throws Exception {
        InetAddress target = InetAddress.getByName("192.0.2.7");
        try (Origin proxy = proxy();
                Socket socket = broxy.asSocketFactory(
                                broxy.httpProxyDialer(proxy.target()).build())
                        .createSocket(target, 443)) {
            assertThat(socket.getInetAddress()).isEqualTo(target);
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(new InetSocketAddress(target, 443));
        }
    }

    @Test
    void connectionThroughAProxyTellsTheProxysAddress() throws Exception {
        try (Origin proxy = proxy();
                Connection connection =
                        broxy.httpProxyDialer(proxy.target()).build().dial(HostPort.of("ftp.example", 21))) {
            assertThat(connection.remoteAddress()).isEqualTo(proxy.address());
        }
    }

    // ------------------------------------------------------------------ scopes

    @Test
    void scopeReachesTheDialerAndStaysWithTheSocket() throws Exception {
        Inet6Address scoped =
                Inet6Address.getByAddress(null, InetAddress.getByName("fe80::1").getAddress(), 1);
        AtomicReference<@Nullable DialRequest> dialed = new AtomicReference<>();
        try (Origin origin = Origin.discard()) {
            Dialer direct = broxy.directDialer().build();
            Dialer noting = request -> {
                dialed.set(request);
                return direct.dial(origin.target());
            };
            try (Socket socket = broxy.asSocketFactory(noting).createSocket()) {
                socket.connect(new InetSocketAddress(scoped, 443));

                DialRequest request = Objects.requireNonNull(dialed.get());
                assertThat(request.target()).isEqualTo(HostPort.of("fe80::1", 443));
                assertThat(scopeOf(request.address())).isEqualTo(1);
                assertThat(scopeOf(request.toBuilder().build().address())).isEqualTo(1);
                assertThat(scopeOf(socket.getInetAddress())).isEqualTo(1);
            }
            try (Socket socket = broxy.asSocketFactory(noting).createSocket("fe80::1%1", 443)) {
                assertThat(scopeOf(Objects.requireNonNull(dialed.get()).address()))
                        .isEqualTo(1);
                assertThat(scopeOf(socket.getInetAddress())).isEqualTo(1);
            }
        }
    }

    @Test
    void anotherTargetHasAnotherScope() {
        DialRequest scoped =
                DialRequest.builder(HostPort.of("fe80::1", 443)).scopeId(3).build();

        assertThat(scopeOf(scoped.address())).isEqualTo(3);
        DialRequest other =
                scoped.toBuilder().target(HostPort.of("fe80::2", 443)).build();
        assertThat(scopeOf(other.address())).isZero();
        assertThat(DialRequest.builder(HostPort.of("db.example", 443))
                        .scopeId(3)
                        .build()
                        .address())
                .isNull();
        assertThat(DialRequest.builder(HostPort.of("192.0.2.1", 443))
                        .scopeId(3)
                        .build()
                        .address())
                .isEqualTo(HostPort.of("192.0.2.1", 443).address());
    }

    @Test
    void linkLocalAddressIsReachedByItsScope() throws Exception {
        Optional<Inet6Address> linkLocal = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet6Address && address.isLinkLocalAddress())
                .map(Inet6Address.class::cast)
                .findFirst();
        Assumptions.assumeTrue(linkLocal.isPresent(), "this machine has no link-local address");
        Inet6Address own = linkLocal.get();
        try (Origin origin = Origin.start(own, peer -> peer.readAll())) {
            Dialer direct = broxy.directDialer().build();
            try (Socket socket = broxy.asSocketFactory(direct).createSocket(own, origin.port())) {
                assertThat(scopeOf(socket.getInetAddress())).isEqualTo(own.getScopeId());
            }
            DialRequest request = DialRequest.builder(origin(own, origin.port()))
                    .scopeId(own.getScopeId())
                    .build();
            try (Connection connection = direct.dial(request);
                    Connection other = direct.dialAsync(request, Runnable::run).get()) {
                for (Connection each : List.of(connection, other)) {
                    InetSocketAddress remote = (InetSocketAddress) each.remoteAddress();
                    assertThat(scopeOf(remote.getAddress())).isEqualTo(own.getScopeId());
                }
            }
        }
    }

    private static HostPort origin(Inet6Address address, int port) {
        return HostPort.of(address.getHostAddress().replaceFirst("%.*", ""), port);
    }

    private static int scopeOf(@Nullable InetAddress address) {
        assertThat(address).isInstanceOf(Inet6Address.class);
        return ((Inet6Address) Objects.requireNonNull(address)).getScopeId();
    }
}
