package io.broxy.core.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.AddressPolicy;
import io.broxy.ClientHandler;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.Route;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.DeclaredListener;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that an engine's proxies never reach a listener of the same engine, whatever else is allowed. */
@ExtendWith(LeakCheck.class)
class OwnListenersTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final String NAME = "self.test";

    /** How a handler reaches its targets. */
    enum Way {
        DIRECT {
            @Override
            Dialer dialer(Broxy broxy, HostPort socks) {
                return direct(broxy);
            }
        },
        ROUTED {
            @Override
            Dialer dialer(Broxy broxy, HostPort socks) {
                return broxy.routingDialer().direct(direct(broxy)).build();
            }
        },
        OWN_PROXY {
            @Override
            Dialer dialer(Broxy broxy, HostPort socks) throws IOException {
                ProxyHandler behind = broxy.proxyHandler()
                        .dialer(direct(broxy))
                        .addressPolicy(AddressPolicy.any())
                        .build();
                return broxy.httpProxyDialer(target(broxy.listen(ANY_PORT, behind)))
                        .build();
            }
        },
        FOREIGN_PROXY {
            @Override
            Dialer dialer(Broxy broxy, HostPort socks) {
                return broxy.socks5Dialer(socks).build();
            }
        },
        ROUTED_TO_FOREIGN_PROXY {
            @Override
            Dialer dialer(Broxy broxy, HostPort socks) {
                return broxy.routingDialer()
                        .hop("socks", broxy.socks5Dialer(socks).build())
                        .rules(Rules.builder().otherwise(Route.via("socks")).build())
                        .build();
            }
        },
        /** Which forgets the address policy. */
        USERS_OWN {
            @Override
            Dialer dialer(Broxy broxy, HostPort socks) {
                Dialer direct = direct(broxy);
                return request -> direct.dial(request.target());
            }
        };

        abstract Dialer dialer(Broxy broxy, HostPort socks) throws IOException;

        private static DirectDialer direct(Broxy broxy) {
            return broxy.directDialer().resolver(Way::resolve).build();
        }

        private static List<InetAddress> resolve(String host) throws UnknownHostException {
            return host.equals(NAME)
                    ? List.of(InetAddress.getLoopbackAddress())
                    : List.of(InetAddress.getAllByName(host));
        }

        /** Whether the address policy sees what a name leads to, here or at another proxy of the engine. */
        boolean seesNames() {
            return this == DIRECT || this == ROUTED || this == OWN_PROXY;
        }
    }

    private static HostPort target(ProxyServer server) {
        return HostPort.of("127.0.0.1", ((InetSocketAddress) server.localAddress()).getPort());
    }

    private static void assertDenied(Proxy proxy, HostPort target) throws IOException {
        for (String request : List.of(Proxy.connectHead(target), Http.get(target, "/"))) {
            try (Peer client = proxy.client()) {
                client.send(request);
                assertThat(Http.read(client).head())
                        .as("%s", target)
                        .startsWith(
                                "HTTP/1.1 403 Forbidden\r\nProxy-Status: Broxy; error=destination_ip_prohibited\r\n");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDeclaredListenerIsNoTargetUntilItIsClosed(Way way) throws Exception {
        try (Origin admin = Http.echo();
                Origin socks = Origin.start(SocksServer::relay);
                Proxy proxy = Proxy.start((broxy, settings) -> settings.dialer(made(way, broxy, socks.target())))) {
            DeclaredListener declared = proxy.broxy()
                    .declareListener(new InetSocketAddress(InetAddress.getLoopbackAddress(), admin.port()));
            for (String host : List.of("127.0.0.1", "::ffff:127.0.0.1", "localhost", "a.localhost", "0.0.0.0")) {
                assertDenied(proxy, HostPort.of(host, admin.port()));
            }
            assertNotReachedByName(proxy, way, admin);
            assertThat(admin.accepted()).isZero();

            declared.close();
            declared.close();
            try (Peer client = proxy.client()) {
                client.send(Http.get(admin.target(), "/"));
                assertThat(Http.read(client).body()).isEqualTo("GET / ");
            }
        }
    }

    private static void assertNotReachedByName(Proxy proxy, Way way, Origin admin) throws IOException {
        if (!way.seesNames()) {
            return;
        }
        HostPort named = HostPort.of(NAME, admin.port());
        if (way != Way.OWN_PROXY) {
            assertDenied(proxy, named);
            return;
        }
        try (Peer client = proxy.client()) { // the second proxy looks up the name and refuses
            assertThat(client.send(Proxy.connectHead(named)).readHead()).startsWith("HTTP/1.1 502 ");
        }
        try (Peer client = proxy.client()) {
            assertThat(client.send(Http.get(named, "/")).readHead()).startsWith("HTTP/1.1 403 ");
        }
    }

    private static Dialer made(Way way, Broxy broxy, HostPort socks) {
        try {
            return way.dialer(broxy, socks);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Each is reached by clients of its own, and not through one another. */
    @Test
    void noServerOfAnEngineIsATargetOfAnyOfItsHandlers() throws Exception {
        ClientHandler users = client -> {}; // the listener still belongs to the engine
        try (Proxy proxy = Proxy.start();
                ProxyServer second = proxy.broxy()
                        .listen(ANY_PORT, proxy.broxy().proxyHandler().build());
                ProxyServer wildcard = proxy.broxy().listen(new InetSocketAddress("0.0.0.0", 0), users)) {
            assertDenied(proxy, target(proxy.server()));
            assertDenied(proxy, target(second));
            assertDenied(proxy, target(wildcard));
            assertDenied(proxy, HostPort.of("127.0.0.9", target(wildcard).port()));

            second.close();
            try (Origin heir = Origin.echo((InetSocketAddress) second.localAddress());
                    Peer client = proxy.connect(heir.target())) {
                assertThat(client.send("x").readText(1)).isEqualTo("x");
            }
        }
    }

    @Test
    void aHandlerOfAnotherEngineDoesNotDialTheServersThatServeIt() throws Exception {
        try (Proxy proxy = Proxy.start();
                Broxy listening = Broxy.create();
                ProxyServer server = listening.listen(ANY_PORT, proxy.handler())) {
            assertDenied(proxy, target(server));
            server.close();
            try (Origin heir = Origin.echo((InetSocketAddress) server.localAddress())) {
                proxy.connect(heir.target()).close();
            }
        }
    }

    @Test
    void whatCannotBeDeclaredIsNamed() {
        try (Broxy broxy = Broxy.create()) {
            assertThatThrownBy(() -> broxy.declareListener(InetSocketAddress.createUnresolved("admin.test", 80)))
                    .isInstanceOf(UnknownHostException.class)
                    .hasMessageContaining("admin.test");
            assertThatIllegalArgumentException().isThrownBy(() -> broxy.declareListener(ANY_PORT));
        }
    }
}
