package io.broxy.core.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.ActiveTunnel;
import io.broxy.Authenticator;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the list of running tunnels, and that the totals include them at once. */
@ExtendWith(LeakCheck.class)
class ActiveTunnelsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private static ActiveTunnel only(ProxyHandler handler) {
        List<ActiveTunnel> active = handler.activeTunnels();
        assertThat(active).hasSize(1);
        return active.get(0);
    }

    @Test
    void aRunningTunnelIsListedWithItsFiguresUntilItEnds() throws Exception {
        Instant before = Instant.now().minusMillis(1);
        try (Origin origin = Origin.start(peer -> {
                    peer.readText(5);
                    peer.send("an answer");
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            client.send("hello").readText(9);

            await().atMost(PATIENCE).until(() -> only(proxy.handler()).bytesToClient() == 9);
            ActiveTunnel active = only(proxy.handler());
            assertThat(active.target()).isEqualTo(origin.target());
            assertThat(active.identity()).isNull();
            assertThat(active.client()).isEqualTo(client.socket().getLocalSocketAddress());
            assertThat(active.start()).isBetween(before, Instant.now());
            assertThat(active.bytesToOrigin()).isEqualTo(5);
            assertThat(active.tunnel().bytesToClient()).isEqualTo(9);
            assertThat(active.toString())
                    .contains(origin.target().toString(), "5 bytes to the origin", "9 to the client");
            assertThat(only(proxy.handler()).start()).isEqualTo(active.start());

            client.close();
            await().atMost(PATIENCE).until(() -> proxy.handler().activeTunnels().isEmpty());
            assertThat(active.bytesToOrigin()).as("of a snapshot").isEqualTo(5);
            assertThat(active.tunnel().join().bytesToOrigin()).isEqualTo(5);
        }
    }

    @Test
    void theIdentityIsThatOfTheRequestAndTheListCannotBeChanged() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings ->
                        settings.authenticator(Authenticator.basic("test", (user, password) -> user.equals("alice"))));
                Peer client = proxy.client()) {
            client.send("CONNECT " + origin.target() + " HTTP/1.1\r\nHost: " + origin.target()
                            + "\r\nProxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n")
                    .readHead();

            List<ActiveTunnel> active = proxy.handler().activeTunnels();
            assertThat(active)
                    .hasSize(1)
                    .allSatisfy(one -> assertThat(one.identity()).isEqualTo("alice"));
            assertThat(active.toString()).doesNotContain("secret");
            assertThatThrownBy(active::clear).isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Test
    void whatThreadsServeIsListedTooAndTheHostServersIdentityIsNamed() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<Socket> accepted = Accepted.socket()) {
            Tunnel tunnel = proxy.handler()
                    .handleConnect(
                            accepted.end(),
                            ConnectRequest.builder(origin.target())
                                    .authenticated("carol")
                                    .build());
            accepted.client().readHead();
            accepted.client().send("there and back").readText(14);

            await().atMost(PATIENCE).until(() -> only(proxy.handler()).bytesToClient() == 14);
            ActiveTunnel active = only(proxy.handler());
            assertThat(active.identity()).isEqualTo("carol");
            assertThat(active.client()).isEqualTo(accepted.client().socket().getLocalSocketAddress());
            assertThat(active.tunnel()).isSameAs(tunnel);
        }
    }

    @Test
    void aTunnelThatIsStillBeingMadeAndPlainHttpAreNotListed() throws Exception {
        try (BlackHole nowhere = BlackHole.open();
                Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart")
                            .readAll();
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> dialing = Accepted.channel();
                Peer plain = proxy.client()) {
            Tunnel tunnel = proxy.handler().handleConnect(dialing.end(), ConnectRequest.to(nowhere.target()));
            plain.send("GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target() + "\r\n\r\n")
                    .readHead();
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openTunnels() == 1);

            assertThat(proxy.handler().activeTunnels()).isEmpty();
            tunnel.close();
            tunnel.join();
        }
    }

    @Test
    void aWebSocketIsListedWithTheHeadsItBeganWith() throws Exception {
        String switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    peer.send(switching);
                    peer.send(peer.readText(4));
                    peer.readAll();
                });
                Proxy proxy = Proxy.start();
                Peer client = proxy.client()) {
            client.send("GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target()
                    + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
            int head = client.readHead().length();
            client.send("ping").readText(4);

            await().atMost(PATIENCE).until(() -> only(proxy.handler()).bytesToClient() == head + 4);
            ActiveTunnel active = only(proxy.handler());
            assertThat(active.target()).isEqualTo(origin.target());
            ProxyStats running = proxy.handler().stats();
            assertThat(running.bytesToClient()).isEqualTo(head + 4);
            assertThat(running.bytesToOrigin()).isEqualTo(active.bytesToOrigin());

            client.close();
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().bytesToOrigin()).isEqualTo(running.bytesToOrigin());
            assertThat(proxy.handler().stats().bytesToClient()).isEqualTo(running.bytesToClient());
        }
    }

    @Test
    void anOperatorEndsATunnelByItsHandle() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Peer client = proxy.connect(origin.target())) {
            ActiveTunnel active = only(proxy.handler());

            active.tunnel().close();

            client.expectReset();
            assertThat(active.tunnel().join().reason()).isEqualTo(CloseReason.CLOSED);
        }
    }

    @Test
    void theTotalsGrowWhileTunnelsRunAndCountEachByteOnce() throws Exception {
        int many = 20;
        int bytes = 300_000;
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start()) {
            List<CompletableFuture<?>> clients = new ArrayList<>();
            AtomicBoolean done = new AtomicBoolean();
            CompletableFuture<Integer> watching = Background.supply(() -> {
                int seen = 0;
                for (long last = 0; !done.get(); seen++) {
                    long now = proxy.handler().stats().bytesToClient();
                    assertThat(now).isGreaterThanOrEqualTo(last);
                    last = now;
                }
                return seen;
            });
            for (int i = 0; i < many; i++) {
                clients.add(Background.run(() -> {
                    try (Peer client = proxy.connect(origin.target())) {
                        CompletableFuture<?> sent = Background.run(() -> client.send(new byte[bytes]));
                        client.read(bytes);
                        sent.get();
                    }
                }));
            }
            for (CompletableFuture<?> client : clients) {
                client.get();
            }
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 0);
            done.set(true);

            assertThat(watching.get()).isPositive();
            ProxyStats stats = proxy.handler().stats();
            assertThat(stats.bytesToClient()).isEqualTo((long) many * bytes);
            assertThat(stats.bytesToOrigin()).isEqualTo((long) many * bytes);
        }
    }

    @Test
    void theTotalsHaveTheBytesOfATunnelThatStillRuns() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end(), ConnectRequest.to(origin.target()));
            accepted.client().readHead();
            accepted.client().send(new byte[1_000]).read(1_000);

            await().atMost(PATIENCE).until(() -> proxy.handler().stats().bytesToClient() == 1_000);
            assertThat(proxy.handler().stats().bytesToOrigin()).isEqualTo(1_000);
            accepted.client().send(new byte[234]).read(234);
            accepted.client().close();
            TunnelResult end = tunnel.join();
            assertThat(end.bytesToOrigin()).isEqualTo(1_234);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().bytesToOrigin() == 1_234);
        }
    }
}
