package io.broxy.core.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.ProxyHandler;
import io.broxy.RefusedException;
import io.broxy.Tunnel;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the limits of a single client: its connections, its requests per connection and its rate. */
@ExtendWith(LeakCheck.class)
class ClientLimitsTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);

    private static Peer from(String address, Proxy proxy) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.getByName(address), 0));
        try {
            socket.connect(proxy.address(), Peer.PATIENCE_MILLIS);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset"); // so fast that the end came first
        }
        return new Peer(socket);
    }

    private static void assertServed(Peer client, Origin origin) throws IOException {
        client.send(Proxy.connectHead(origin.target()));
        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
        assertThat(client.send("served").readText(6)).isEqualTo("served");
    }

    @Test
    void beyondItsCapAClientGetsARetryAfter() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.maxConnectionsPerClient(2));
                Peer first = proxy.connect(origin.target());
                Peer second = proxy.connect(origin.target());
                Peer third = proxy.client()) {
            assertThat(third.readAll())
                    .startsWith("HTTP/1.1 503 Service Unavailable\r\n")
                    .contains("\r\nRetry-After: 2\r\n")
                    .contains("\r\nConnection: close\r\n")
                    .endsWith("\r\n\r\n503 too many connections of one client\n");

            assertThat(first.send("one").readText(3)).isEqualTo("one");
            second.close();
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openTunnels() == 1);
            try (Peer next = proxy.client()) {
                assertServed(next, origin);
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX) // where all of 127.0.0.0/8 is the loopback
    void aFloodFromOneAddressDoesNotBlockOtherClients() throws Exception {
        List<Peer> flood = new ArrayList<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(
                        settings -> settings.maxConnectionsPerClient(10).maxConnections(30))) {
            for (int i = 0; i < 200; i++) {
                flood.add(from("127.0.0.2", proxy));
            }
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().totalConnections() == 200);

            for (int i = 0; i < 5; i++) {
                try (Peer good = from("127.0.0.3", proxy)) {
                    assertServed(good, origin);
                }
            }

            assertThat(proxy.handler().stats().openConnections()).isLessThanOrEqualTo(10 + 8 + 5);
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().refused() >= 182);
            for (Peer peer : flood) {
                peer.close();
            }
        }
    }

    @Test
    void clientsWithoutAChannelCountToo() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.maxConnectionsPerClient(1));
                Accepted<Socket> first = Accepted.socket();
                Accepted<SocketChannel> second = Accepted.channel()) {
            proxy.handler().handleConnect(first.end());
            assertServed(first.client(), origin);

            Tunnel refused = proxy.handler().handleConnect(second.end());

            assertThat(second.client().readHead()).startsWith("HTTP/1.1 503 ");
            second.client().close();
            Ends.assertRefused(refused.join(), RefusedException.Reason.LIMIT, 503);
        }
    }

    @Test
    void theAnswerToTheLastRequestSaysThatItIsTheLast() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        peer.readHead();
                        peer.send("HTTP/1.1 204 No Content\r\n\r\n");
                    }
                });
                Proxy proxy = Proxy.start(settings -> settings.maxRequestsPerConnection(3));
                Peer client = proxy.client()) {
            String request = "GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target() + "\r\n\r\n";
            for (int i = 0; i < 2; i++) {
                assertThat(client.send(request).readHead())
                        .startsWith("HTTP/1.1 204 ")
                        .doesNotContain("Connection: close");
            }

            assertThat(client.send(request).readHead())
                    .startsWith("HTTP/1.1 204 ")
                    .contains("\r\nConnection: close\r\n");

            client.expectEnd();
        }
    }

    @Test
    void requestsThatAreAnsweredByTheProxyItselfCountToo() throws Exception {
        try (Proxy proxy = Proxy.start(settings -> settings.maxRequestsPerConnection(2));
                Peer client = proxy.client()) {
            String host = "somewhere.example";
            String request = "OPTIONS http://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\nMax-Forwards: 0\r\n\r\n";
            assertThat(client.send(request).readHead()).doesNotContain("Connection: close");

            assertThat(client.send(request).readHead()).contains("\r\nConnection: close\r\n");

            client.expectEnd();
        }
    }

    @Test
    void aClientsConnectionsShareItsRateAndEachIsServed() throws Exception {
        int bytes = 50_000;
        long start = System.nanoTime(); // a rate flows from its client's first connection on
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(
                        settings -> settings.rateLimitPerClient(400_000).rateLimit(300_000));
                Peer one = proxy.connect(origin.target());
                Peer other = proxy.connect(origin.target())) {
            one.send(new byte[bytes]);
            other.send(new byte[bytes]);
            one.read(bytes);
            other.read(bytes);

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(200));
        }
    }

    @Test
    void aForwardedBodyAndItsResponseKeepTheRateToo() throws Exception {
        int bytes = 50_000;
        long start = System.nanoTime();
        try (Origin origin = Origin.start(peer -> {
                    peer.readHead();
                    byte[] body = peer.read(bytes);
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + bytes + "\r\n\r\n")
                            .send(body);
                    peer.readAll();
                });
                Proxy proxy = Proxy.start(settings -> settings.rateLimit(200_000));
                Peer client = proxy.client()) {
            client.send("POST http://" + origin.target() + "/ HTTP/1.1\r\nHost: " + origin.target()
                            + "\r\nContent-Length: " + bytes + "\r\n\r\n")
                    .send(new byte[bytes]);
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            client.read(bytes);

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(200));
        }
    }

    @Test
    void limitsBelowOneAreRefused() {
        try (Broxy broxy = Broxy.builder().eventLoops(1).build()) {
            List<Consumer<ProxyHandler.Builder>> wrong = List.of(
                    settings -> settings.maxConnectionsPerClient(0),
                    settings -> settings.maxRequestsPerConnection(0),
                    settings -> settings.rateLimit(0),
                    settings -> settings.rateLimitPerClient(-1),
                    settings -> settings.maxLifetime(Duration.ZERO),
                    settings -> settings.writeStallTimeout(Duration.ZERO));
            for (Consumer<ProxyHandler.Builder> setting : wrong) {
                assertThatThrownBy(() -> setting.accept(broxy.proxyHandler()))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }
}
