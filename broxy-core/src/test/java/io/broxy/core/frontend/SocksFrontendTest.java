package io.broxy.core.frontend;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.broxy.Cidr;
import io.broxy.ClientHandle;
import io.broxy.CloseReason;
import io.broxy.ConnectionResult;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Client;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import io.broxy.core.testkit.SocksClient;
import io.broxy.core.testkit.TlsProxy;
import io.broxy.core.testkit.WebServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the tunnels of clients that speak SOCKS to the proxy, beside those that speak HTTP at the same port. */
@ExtendWith(LeakCheck.class)
class SocksFrontendTest {
    /** The addresses that the origin's clients come from. */
    private final BlockingQueue<SocketAddress> cameFrom = new LinkedBlockingQueue<>();

    private static Proxy proxy() throws IOException {
        return Proxy.start(settings -> settings.socks(true));
    }

    private Origin answering(InetAddress address) throws IOException {
        return Origin.start(address, peer -> {
            cameFrom.add(peer.socket().getRemoteSocketAddress());
            peer.send("behind: " + peer.readText(5));
        });
    }

    private Origin answering() throws IOException {
        return answering(InetAddress.getLoopbackAddress());
    }

    private static byte[] joined(byte[]... parts) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.write(part);
        }
        return all.toByteArray();
    }

    private static byte[] early(byte[]... parts) throws IOException {
        return joined(joined(parts), "early".getBytes(US_ASCII));
    }

    private SocketAddress source() throws InterruptedException {
        SocketAddress source = cameFrom.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        assertThat(source).as("the address that the origin sees").isNotNull();
        return source;
    }

    // ------------------------------------------------------------------ versions and targets

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost"})
    void aTunnelOfSocks5NamesTheAddressThatItComesFrom(String host) throws Exception {
        try (Origin origin = answering();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            SocksClient.Reply reply = SocksClient.ask(client, HostPort.of(host, origin.port()));

            assertThat(reply.code()).isZero();
            assertThat(client.send("hello").readAll()).isEqualTo("behind: hello");
            assertThat(reply.bound()).isEqualTo(source());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost"})
    void soDoesOneOfSocks4(String host) throws Exception {
        try (Origin origin = answering();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(SocksClient.connect4(HostPort.of(host, origin.port())));
            SocksClient.Reply reply = SocksClient.reply4(client);

            assertThat(reply.code()).isEqualTo(90);
            assertThat(client.send("hello").readAll()).isEqualTo("behind: hello");
            assertThat(reply.bound()).isEqualTo(source());
        }
    }

    @Test
    void soDoesOneToAnAddressOfIpv6() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        assumeThat(NetworkInterface.getByInetAddress(loopback))
                .as("this machine has no IPv6")
                .isNotNull();
        try (Origin origin = answering(loopback);
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            SocksClient.Reply reply = SocksClient.ask(client, origin.target());

            assertThat(reply.code()).isZero();
            assertThat(client.send("hello").readAll()).isEqualTo("behind: hello");
            assertThat(reply.bound()).isEqualTo(source());
        }
    }

    @Test
    void aClientWithNothingButAPasswordIsServedWhereNoneIsNeeded() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(SocksClient.greetingWithPassword());
            assertThat(client.read(2)).containsExactly(5, 2);
            client.send(SocksClient.login("anyone", "anything"));
            assertThat(client.read(2)).containsExactly(1, 0);
            assertThat(SocksClient.reply(client.send(SocksClient.connect(origin.target())))
                            .code())
                    .isZero();
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
        }
    }

    // ------------------------------------------------------------------ pieces

    @Test
    void theBytesAfterARequestReachTheOrigin() throws Exception {
        try (Origin origin = answering();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(early(SocksClient.greeting(), SocksClient.connect(origin.target())));

            assertThat(client.read(2)).containsExactly(5, 0);
            assertThat(SocksClient.reply(client).code()).isZero();
            assertThat(client.readAll()).isEqualTo("behind: early");
        }
    }

    @Test
    void soDoThoseAfterARequestOfSocks4() throws Exception {
        try (Origin origin = answering();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            client.send(early(SocksClient.connect4(origin.target())));

            assertThat(SocksClient.reply4(client).code()).isEqualTo(90);
            assertThat(client.readAll()).isEqualTo("behind: early");
        }
    }

    @Test
    void messagesMayComeByteByByte() throws Exception {
        try (Origin origin = answering();
                Proxy proxy = proxy();
                Peer client = proxy.client()) {
            HostPort target = HostPort.of("localhost", origin.port());
            for (byte b : early(SocksClient.greeting(), SocksClient.connect(target))) {
                client.send(new byte[] {b});
            }

            assertThat(client.read(2)).containsExactly(5, 0);
            assertThat(SocksClient.reply(client).code()).isZero();
            assertThat(client.readAll()).isEqualTo("behind: early");
        }
    }

    @Test
    void anOriginMaySpeakFirst() throws Exception {
        try (Origin origin = Origin.greeting("220 ready\r\n");
                Proxy proxy = proxy();
                Peer client = SocksClient.open(proxy.client(), origin.target())) {
            assertThat(client.readLine()).isEqualTo("220 ready");
        }
    }

    @Test
    void aTunnelCarriesMegabytesAndAHalfCloseBothWays() throws Exception {
        int count = 3 << 20;
        CompletableFuture<byte[]> atOrigin = new CompletableFuture<>();
        Events events = new Events();
        try (Origin origin = Origin.start(peer -> {
                    atOrigin.complete(peer.socket().getInputStream().readAllBytes());
                    peer.send(Payload.bytes(count, 2));
                });
                Proxy proxy = Proxy.start(settings -> settings.socks(true).listener(events));
                Peer client = SocksClient.open(proxy.client(), origin.target())) {
            client.send(Payload.bytes(count, 1)).shutdownOutput();

            assertThat(atOrigin.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isEqualTo(Payload.bytes(count, 1));
            assertThat(client.read(count)).isEqualTo(Payload.bytes(count, 2));
            client.expectEnd();

            String request = "CONNECT " + origin.target() + " by null";
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "established " + request,
                            "tunnel ended " + request + ": FINISHED, " + count + " up, " + count + " down",
                            "closed: FINISHED, exchanges 0");
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
        }
    }

    // ------------------------------------------------------------------ beside HTTP

    @Test
    void httpIsServedAtTheSamePort() throws Exception {
        try (Origin origin = Origin.echo();
                WebServer web = WebServer.start();
                Proxy proxy = proxy();
                Peer tunnel = proxy.connect(origin.target());
                Peer client = proxy.client()) {
            assertThat(tunnel.send("hello").readText(5)).isEqualTo("hello");
            for (int i = 0; i < 2; i++) {
                client.send("GET " + web.url("/bytes/5/1") + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                client.read(5);
            }
        }
    }

    @Test
    void withoutTheSettingSocksIsABadRequest() throws Exception {
        try (Proxy proxy = Proxy.start();
                Peer client = proxy.client().send(SocksClient.greeting())) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");
        }
    }

    @Test
    void theAccessLogNamesTheProtocol() throws Exception {
        try (CapturedLog log = CapturedLog.startWithAccess();
                Origin origin = Origin.echo();
                Proxy proxy = proxy()) {
            try (Peer client = SocksClient.open(proxy.client(), origin.target())) {
                client.send("12345").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("12345");
            }
            try (Peer client = proxy.client().send(SocksClient.connect4(origin.target()))) {
                assertThat(SocksClient.reply4(client).code()).isEqualTo(90);
            }

            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> log.lines("io.broxy.access").size() == 2);
            assertThat(log.lines("io.broxy.access").get(0))
                    .contains(" protocol=socks5 method=CONNECT target=" + origin.target() + " status=200 ")
                    .contains(" to_origin=5 to_client=5 ");
            assertThat(log.lines("io.broxy.access").get(1))
                    .contains(" protocol=socks4 method=CONNECT target=" + origin.target() + " status=200 ")
                    .contains(" to_origin=0 to_client=0 ");
        }
    }

    // ------------------------------------------------------------------ how clients come

    @Test
    void aClientMayComeAfterTls() throws Exception {
        try (Origin origin = Origin.echo();
                TlsProxy proxy = TlsProxy.start(settings -> settings.socks(true));
                Peer client = SocksClient.open(proxy.client(), origin.target())) {
            assertThat(client.send("hello").readText(5)).isEqualTo("hello");
        }
    }

    @Test
    void aClientMayComeAfterAProxyHeader() throws Exception {
        BlockingQueue<InetAddress> seen = new LinkedBlockingQueue<>();
        try (Origin origin = answering();
                Proxy proxy = Proxy.start(settings -> settings.socks(true)
                        .proxyProtocol(Cidr.parse("127.0.0.0/8"))
                        .accessPolicy(request -> seen.add(request.client())));
                Peer client = proxy.client()) {
            byte[] header = "PROXY TCP4 192.0.2.7 192.0.2.1 50312 1080\r\n".getBytes(US_ASCII);
            client.send(early(header, SocksClient.greeting(), SocksClient.connect(origin.target())));

            assertThat(client.read(2)).containsExactly(5, 0);
            assertThat(SocksClient.reply(client).code()).isZero();
            assertThat(client.readAll()).isEqualTo("behind: early");
            assertThat(seen.poll(1, TimeUnit.SECONDS)).isEqualTo(InetAddress.getByName("192.0.2.7"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHandlerOfTunnelsServesThem(Client.Form form) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = proxy();
                Client client = form.come(proxy.handler())) {
            SocksClient.open(client.peer(), origin.target());
            assertThat(client.peer().send("hello").readText(5)).isEqualTo("hello");
            client.peer().close();

            TunnelResult result = client.tunnel().completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(result.target()).isEqualTo(origin.target());
            assertThat(List.of(result.bytesToOrigin(), result.bytesToClient())).containsExactly(5L, 5L);
        }
    }

    @Test
    void bytesThatTheHostServerHasReadComeFirst() throws Exception {
        try (Origin origin = answering();
                Proxy proxy = proxy();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            ProxyHandler handler = proxy.handler();
            ClientHandle handle = handler.handle(accepted.end(), ByteBuffer.wrap(new byte[] {5}));
            accepted.client().send(early(new byte[] {1, 0}, SocksClient.connect(origin.target())));

            assertThat(accepted.client().read(2)).containsExactly(5, 0);
            assertThat(SocksClient.reply(accepted.client()).code()).isZero();
            assertThat(accepted.client().readAll()).isEqualTo("behind: early");
            accepted.client().close();
            assertThat(handle.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .extracting(ConnectionResult::reason)
                    .isEqualTo(CloseReason.FINISHED);
        }
    }

    @Test
    void aClientThatGoesBeforeItsRequestIsClosed() throws Exception {
        try (Proxy proxy = proxy()) {
            try (Peer client = proxy.client().send(SocksClient.greeting())) {
                assertThat(client.read(2)).containsExactly(5, 0);
            }
            try (Peer client = proxy.client().send(SocksClient.greeting())) {
                assertThat(client.read(2)).containsExactly(5, 0);
                client.reset();
            }
            await().atMost(Duration.ofMillis(Peer.PATIENCE_MILLIS))
                    .until(() -> proxy.handler().stats().openConnections() == 0);
            assertThat(proxy.handler().stats().refused()).isZero();
        }
    }
}
