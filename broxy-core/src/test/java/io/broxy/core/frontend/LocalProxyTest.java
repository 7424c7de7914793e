package io.broxy.core.frontend;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Credentials;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyUri;
import io.broxy.core.Broxy;
import io.broxy.core.LocalProxy;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the proxy on the loopback whose clients reach their targets through a dialer. */
@ExtendWith(LeakCheck.class)
class LocalProxyTest {
    private final ConcurrentLinkedQueue<HostPort> targets = new ConcurrentLinkedQueue<>();
    private Broxy broxy;
    private Dialer dialer;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(1).build();
        Dialer direct = broxy.directDialer()
                .resolver(host -> List.of(InetAddress.getByAddress(new byte[] {127, 0, 0, 1})))
                .build();
        dialer = request -> {
            targets.add(request.target());
            return direct.dial(request);
        };
    }

    @AfterEach
    void stop() {
        broxy.close();
    }

    private static Credentials credentials(LocalProxy proxy) {
        return Objects.requireNonNull(proxy.proxyUri().credentials());
    }

    private static String connect(HostPort target, String fields) {
        return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + fields + "\r\n";
    }

    private static void assertEchoes(Socket socket) throws IOException {
        socket.setSoTimeout(Peer.PATIENCE_MILLIS);
        socket.getOutputStream().write("there and back".getBytes(US_ASCII));
        socket.shutdownOutput();
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo("there and back".getBytes(US_ASCII));
    }

    // ------------------------------------------------------------------ what it serves

    @Test
    void listensOnTheLoopbackAtAPortOfItsOwn() throws Exception {
        try (LocalProxy one = broxy.localProxy(dialer).start();
                LocalProxy two = broxy.localProxy(dialer).start()) {
            assertThat(one.address().getAddress().isLoopbackAddress()).isTrue();
            assertThat(one.address().isUnresolved()).isFalse();
            assertThat(one.address().getPort())
                    .isPositive()
                    .isNotEqualTo(two.address().getPort());
            assertThat(one.toString())
                    .contains(":" + one.address().getPort())
                    .doesNotContain(credentials(one).password());
            assertThat(credentials(one)).isNotEqualTo(credentials(two));
            assertThat(credentials(one).password()).hasSize(32);
        }
    }

    @Test
    void clientWithTheCredentialsHasATunnelThroughTheDialer() throws Exception {
        try (Origin origin = Origin.echo();
                LocalProxy proxy = broxy.localProxy(dialer).start()) {
            HostPort target = HostPort.of("db.example", origin.port());
            try (Peer client = Peer.connect(proxy.address())) {
                client.send(connect(
                        target, "Proxy-Authorization: " + credentials(proxy).authorization() + "\r\n"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertEchoes(client.socket());
            }
            assertThat(targets).containsExactly(target);
            assertThat(proxy.stats().establishedTunnels()).isEqualTo(1);
        }
    }

    @Test
    void clientWithoutTheCredentialsIsRefused() throws Exception {
        try (LocalProxy proxy = broxy.localProxy(dialer).start();
                LocalProxy other = broxy.localProxy(dialer).start()) {
            HostPort target = HostPort.of("db.example", 443);
            for (String fields :
                    List.of("", "Proxy-Authorization: " + credentials(other).authorization() + "\r\n")) {
                try (Peer client = Peer.connect(proxy.address())) {
                    client.send(connect(target, fields));
                    assertThat(client.readHead()).startsWith("HTTP/1.1 407 ");
                }
            }
            try (Peer socks = Peer.connect(proxy.address())) {
                socks.send(new byte[] {5, 1, 0}); // no method but "no authentication"
                assertThat(socks.read(2)).containsExactly(5, 0xff);
            }
            try (Peer socks4 = Peer.connect(proxy.address())) {
                socks4.send(new byte[] {4, 1, 1, (byte) 187, 127, 0, 0, 1, 0});
                assertThat(socks4.read(8)[1]).isNotEqualTo((byte) 90);
            }
            assertThat(targets).isEmpty();
        }
    }

    @Test
    void dialersOfBroxyUseItByItsUris() throws Exception {
        try (Origin origin = Origin.echo();
                LocalProxy proxy = broxy.localProxy(dialer).start()) {
            assertThat(proxy.proxyUri().scheme()).isEqualTo(ProxyUri.Scheme.HTTP);
            assertThat(proxy.socksProxyUri().scheme()).isEqualTo(ProxyUri.Scheme.SOCKS5);
            for (ProxyUri uri : List.of(proxy.proxyUri(), proxy.socksProxyUri())) {
                try (Socket socket =
                        broxy.asSocketFactory(broxy.dialerVia(uri)).createSocket("db.example", origin.port())) {
                    assertEchoes(socket);
                }
            }
            assertThat(targets).hasSize(2);
        }
    }

    @Test
    void listenersOfTheEngineAreRefusedAndOtherLoopbackTargetsAreTheDialersChoice() throws Exception {
        try (Origin origin = Origin.echo();
                LocalProxy proxy = broxy.localProxy(broxy.directDialer().build())
                        .withoutCredentials()
                        .start()) {
            try (Peer client = Peer.connect(proxy.address())) {
                client.send(connect(origin.target(), ""));
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertEchoes(client.socket());
            }
            try (Peer client = Peer.connect(proxy.address())) {
                client.send(connect(HostPort.of("127.0.0.1", proxy.address().getPort()), ""));
                assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            }
        }
    }

    // ------------------------------------------------------------------ the JDK's SOCKS client

    @Test
    void socksClientWithoutAuthenticatorNeedsAProxyWithoutCredentials() throws Exception {
        try (Origin origin = Origin.echo();
                LocalProxy proxy = broxy.localProxy(dialer).withoutCredentials().start();
                LocalProxy guarded = broxy.localProxy(dialer).start()) {
            assertThat(proxy.proxyUri().credentials()).isNull();
            InetSocketAddress target = InetSocketAddress.createUnresolved("db.example", origin.port());
            try (Socket socket = new Socket(new Proxy(Proxy.Type.SOCKS, proxy.address()))) {
                socket.connect(target);
                assertEchoes(socket);
            }
            try (Socket socket = new Socket(new Proxy(Proxy.Type.SOCKS, guarded.address()))) {
                assertThatThrownBy(() -> socket.connect(target)).isInstanceOf(SocketException.class);
            }
            assertThat(targets).containsExactly(HostPort.of("db.example", origin.port()));
        }
    }

    @Test
    void socksClientLogsInByTheDefaultAuthenticator() throws Exception {
        try (Origin origin = Origin.echo();
                LocalProxy proxy = broxy.localProxy(dialer).start();
                Socket socket = new Socket(new Proxy(Proxy.Type.SOCKS, proxy.address()))) {
            Authenticator before = Authenticator.getDefault();
            Authenticator.setDefault(proxy.authenticator());
            try {
                socket.connect(InetSocketAddress.createUnresolved("db.example", origin.port()));
            } finally {
                Authenticator.setDefault(before);
            }
            assertEchoes(socket);
        }
    }

    // ------------------------------------------------------------------ selectors and the authenticator

    @Test
    void selectorsHaveEverythingGoThroughTheProxy() throws Exception {
        try (LocalProxy proxy = broxy.localProxy(dialer).start()) {
            Proxy http = new Proxy(Proxy.Type.HTTP, proxy.address());
            Proxy socks = new Proxy(Proxy.Type.SOCKS, proxy.address());
            ProxySelector selector = proxy.proxySelector();
            ProxySelector socksSelector = proxy.socksProxySelector();
            for (String uri :
                    List.of("http://a.example/", "https://localhost/", "https://127.0.0.1/", "ftp://[::1]/")) {
                assertThat(selector.select(URI.create(uri))).containsExactly(http);
                assertThat(socksSelector.select(URI.create(uri))).containsExactly(socks);
            }
            assertThat(selector.select(URI.create("socket://a.example:22"))).containsExactly(socks);
            selector.connectFailed(URI.create("https://a.example/"), proxy.address(), new ConnectException());
        }
    }

    @Test
    void authenticatorAnswersNoOtherChallenge() throws Exception {
        try (LocalProxy proxy = broxy.localProxy(dialer).start();
                LocalProxy open = broxy.localProxy(dialer).withoutCredentials().start()) {
            Authenticator own = proxy.authenticator();
            int port = proxy.address().getPort();
            InetAddress address = proxy.address().getAddress();

            PasswordAuthentication answer =
                    ask(own, "127.0.0.1", null, port, "http", Authenticator.RequestorType.PROXY);
            assertThat(answer).isNotNull();
            assertThat(answer.getUserName()).isEqualTo(credentials(proxy).user());
            assertThat(new String(answer.getPassword()))
                    .isEqualTo(credentials(proxy).password());
            assertThat(ask(own, null, address, port, "SOCKS5", Authenticator.RequestorType.SERVER))
                    .isNotNull();

            assertThat(ask(own, "127.0.0.1", null, port + 1, "http", Authenticator.RequestorType.PROXY))
                    .isNull();
            assertThat(ask(own, "proxy.example", null, port, "http", Authenticator.RequestorType.PROXY))
                    .isNull();
            assertThat(ask(own, "127.0.0.1", address, port, "http", Authenticator.RequestorType.SERVER))
                    .isNull();
            assertThat(ask(
                            open.authenticator(),
                            "127.0.0.1",
                            null,
                            open.address().getPort(),
                            "http",
                            Authenticator.RequestorType.PROXY))
                    .isNull();
        }
    }

    private static @Nullable PasswordAuthentication ask(
            Authenticator authenticator,
            @Nullable String host,
            @Nullable InetAddress site,
            int port,
            String protocol,
            Authenticator.RequestorType type) {
        return Authenticator.requestPasswordAuthentication(
                authenticator, host, site, port, protocol, "realm", "Basic", null, type);
    }

    // ------------------------------------------------------------------ the end

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closeFreesThePortAndResetsTheClients(boolean byTheEngine) throws Exception {
        try (Origin origin = Origin.discard()) {
            LocalProxy proxy = broxy.localProxy(dialer).withoutCredentials().start();
            Peer client = Peer.connect(proxy.address());
            client.send(connect(origin.target(), ""));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            if (byTheEngine) {
                broxy.close();
            } else {
                proxy.close();
            }
            proxy.close();

            client.expectReset();
            assertThatThrownBy(() -> Peer.connect(proxy.address())).isInstanceOf(ConnectException.class);
            client.close();
        }
    }

    @Test
    void idleTunnelEndsAtItsTimeout() throws Exception {
        try (Origin origin = Origin.discard();
                LocalProxy proxy = broxy.localProxy(dialer)
                        .withoutCredentials()
                        .idleTimeout(Duration.ofMillis(100))
                        .start();
                Peer client = Peer.connect(proxy.address())) {
            client.send(connect(origin.target(), ""));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            client.expectReset();
        }
        assertThatThrownBy(() -> broxy.localProxy(dialer).idleTimeout(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void closedEngineStartsNone() {
        broxy.close();
        assertThatThrownBy(() -> broxy.localProxy(dialer)).isInstanceOf(IllegalStateException.class);
    }
}
