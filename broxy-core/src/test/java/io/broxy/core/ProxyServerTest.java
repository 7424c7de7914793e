package io.broxy.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ClientHandler;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how a server binds its port, passes accepted clients to its handler, and closes. */
@ExtendWith(LeakCheck.class)
class ProxyServerTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @Test
    void portZeroTakesAFreeOneAndSaysWhich() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            assertThat(proxy.address().getPort()).isPositive();
            proxy.client().close();
        }
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.broxy().listen(proxy.address(), proxy.handler()))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(
                            "cannot listen on 127.0.0.1:" + proxy.address().getPort() + ": ");
        }
    }

    @Test
    void anUnknownHostIsNamed() throws Exception {
        InetSocketAddress unknown = InetSocketAddress.createUnresolved("no.such.host.invalid", 0);
        try (Proxy proxy = Proxy.start()) {
            assertThatThrownBy(() -> proxy.broxy().listen(unknown, proxy.handler()))
                    .isInstanceOf(UnknownHostException.class)
                    .hasMessageContaining("no.such.host.invalid");
        }
    }

    @Test
    void closeFreesThePortAndLeavesTunnelsAlone() throws Exception {
        try (HeldPort held = HeldPort.open();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ProxyServer server = proxy.broxy().listen(held.address(), proxy.handler());
                Peer client = Peer.connect(held.port()).send(Proxy.connectHead(origin.target()))) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            server.close();
            server.close();
            server.join();

            assertThatThrownBy(() -> Peer.connect(held.port())).isInstanceOf(ConnectException.class);
            assertThat(client.send("still served").readText(12)).isEqualTo("still served");
            proxy.broxy().listen(held.address(), proxy.handler()).close();
        }
    }

    @Test
    void aHandlerDoesNotDialItsOwnServersUntilTheyAreClosed() throws Exception {
        try (HeldPort held = HeldPort.open();
                Proxy proxy = Proxy.start();
                ProxyServer first = proxy.broxy().listen(held.address(), proxy.handler());
                Proxy another = Proxy.start()) {
            HostPort itself = held.target();
            HostPort byName = HostPort.of("localhost", held.port());
            for (HostPort target : List.of(itself, byName)) {
                try (Peer client = proxy.client().send(Proxy.connectHead(target))) {
                    assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
                }
            }
            another.connect(itself).close();

            proxy.broxy().listen(ANY_PORT, proxy.handler()).close(); // forgets its own address only
            try (ProxyServer second = proxy.broxy().listen(ANY_PORT, proxy.handler())) {
                first.close();
                try (Origin heir = Origin.echo(held.address());
                        Peer client = Peer.connect(second.localAddress()).send(Proxy.connectHead(itself))) {
                    assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                    assertThat(heir.target()).isEqualTo(itself);
                }
            }
        }
    }

    @Test
    void aClosedEngineListensNoMore() throws Exception {
        Broxy broxy = Broxy.create();
        ProxyHandler handler = broxy.proxyHandler().build();
        ProxyServer server = broxy.listen(ANY_PORT, handler);
        broxy.close();

        server.close();
        server.join();
        assertThatThrownBy(() -> broxy.listen(ANY_PORT, handler)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aHandlerMayBeTheUsersOwn() throws Exception {
        CompletableFuture<SocketChannel> given = new CompletableFuture<>();
        try (Broxy broxy = Broxy.create();
                ProxyServer server = broxy.listen(ANY_PORT, given::complete);
                Peer client = Peer.connect(server.localAddress());
                SocketChannel accepted = given.join()) {
            assertThat(accepted.getRemoteAddress()).isEqualTo(client.socket().getLocalSocketAddress());
        }
    }

    @Test
    void aClientWhoseHandlerThrowsIsClosedAndTheNextIsServed() throws Exception {
        ClientHandler broken = client -> {
            throw new IllegalStateException("broken");
        };
        try (Broxy broxy = Broxy.create();
                ProxyServer server = broxy.listen(ANY_PORT, broken)) {
            for (int i = 0; i < 2; i++) {
                try (Peer client = Peer.connect(server.localAddress())) {
                    client.expectEnd();
                }
            }
        }
    }
}
