package io.broxy.core.proxyprotocol;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessRequest;
import io.broxy.Cidr;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.ProxyHandler;
import io.broxy.ProxyListener;
import io.broxy.RefusedException.Reason;
import io.broxy.Tunnel;
import io.broxy.core.internal.haproxy.ProxyHeader;
import io.broxy.core.internal.haproxy.ProxyHeaderWriter;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how a handler takes the client's address from the PROXY header of a load balancer. */
@ExtendWith(LeakCheck.class)
class ReceivedClientAddressTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final Cidr LOOPBACK = Cidr.parse("127.0.0.0/8");

    private final BlockingQueue<InetAddress> seen = new LinkedBlockingQueue<>();

    private void behindABalancer(ProxyHandler.Builder settings) {
        settings.proxyProtocol(LOOPBACK).accessPolicy(this::note);
    }

    private boolean note(AccessRequest request) {
        return seen.add(request.client());
    }

    private InetAddress seen() throws InterruptedException {
        return seen.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static ProxyHeader header(String source) {
        return new ProxyHeader(
                new InetSocketAddress(address(source), 40_000), new InetSocketAddress(address("198.51.100.1"), 3_128));
    }

    private static byte[] joined(byte[] header, String rest) {
        byte[] behind = rest.getBytes(ISO_8859_1);
        byte[] all = new byte[header.length + behind.length];
        System.arraycopy(header, 0, all, 0, header.length);
        System.arraycopy(behind, 0, all, header.length, behind.length);
        return all;
    }

    static Stream<byte[]> headers() {
        return Stream.of(
                ProxyHeaderWriter.version1(header("203.0.113.7")), ProxyHeaderWriter.version2(header("203.0.113.7")));
    }

    @ParameterizedTest
    @MethodSource("headers")
    void policiesSeeTheClientThatTheBalancerNames(byte[] header) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Peer client = proxy.client()) {
            client.send(joined(header, Proxy.connectHead(origin.target()) + "early"));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(client.readText(5)).isEqualTo("early");
            assertThat(seen()).isEqualTo(address("203.0.113.7"));
        }
    }

    @ParameterizedTest
    @MethodSource("headers")
    void aHeaderMayComeByteByByte(byte[] header) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Peer client = proxy.client()) {
            for (byte b : header) {
                client.send(new byte[] {b});
            }
            client.send(Proxy.connectHead(origin.target()));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(seen()).isEqualTo(address("203.0.113.7"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void handleConnectAndClientsWithoutAChannelReadItToo(boolean withChannel) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Accepted<SocketChannel> channel = Accepted.channel();
                Accepted<Socket> socket = Accepted.socket()) {
            ProxyHandler handler = proxy.handler();
            Tunnel tunnel = withChannel ? handler.handleConnect(channel.end()) : handler.handleConnect(socket.end());
            Peer client = withChannel ? channel.client() : socket.client();
            client.send(joined(ProxyHeaderWriter.version2(header("2001:db8::7")), Proxy.connectHead(origin.target())));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(seen()).isEqualTo(address("2001:db8::7"));
            client.shutdownOutput().expectEnd();
            Ends.assertEnded(tunnel.join(), CloseReason.FINISHED);
        }
    }

    @Test
    void theConnectionsOwnAddressCountsWhereTheHeaderNamesNone() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Peer client = proxy.client()) {
            client.send(joined(ProxyHeaderWriter.version2(ProxyHeader.UNKNOWN), Proxy.connectHead(origin.target())));

            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(seen()).isEqualTo(address("127.0.0.1"));
        }
    }

    @Test
    void theAddressHoldsForEveryRequestOfTheConnection() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    while (true) {
                        peer.readHead();
                        peer.send("HTTP/1.1 204 No Content\r\n\r\n");
                    }
                });
                Proxy proxy = Proxy.start(this::behindABalancer);
                Peer client = proxy.client()) {
            client.send(ProxyHeaderWriter.version1(header("203.0.113.7")));
            for (int i = 0; i < 3; i++) {
                client.send("GET http://" + origin.target() + "/ HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(client.readHead()).startsWith("HTTP/1.1 204 ");
                assertThat(seen()).isEqualTo(address("203.0.113.7"));
            }
        }
    }

    @Test
    void listenersReceiveTheClientAndNotTheBalancer() throws Exception {
        BlockingQueue<ProxyListener.Client> opened = new LinkedBlockingQueue<>();
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.proxyProtocol(LOOPBACK).listener(new ProxyListener() {
                            @Override
                            public void connectionOpened(Client client) {
                                opened.add(client);
                            }
                        }));
                Peer client = proxy.client()) {
            client.send(joined(ProxyHeaderWriter.version2(header("203.0.113.7")), Proxy.connectHead(origin.target())));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");

            ProxyListener.Client told = opened.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(told).isNotNull();
            assertThat(told.address()).isEqualTo(new InetSocketAddress(address("203.0.113.7"), 40_000));
            assertThat(opened).isEmpty();
        }
    }

    @Test
    void theCapCountsTheClientsAndNotTheBalancer() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy =
                        Proxy.start(settings -> settings.proxyProtocol(LOOPBACK).maxConnectionsPerClient(1));
                Peer one = proxy.client();
                Peer sameClient = proxy.client();
                Peer other = proxy.client()) {
            String connect = Proxy.connectHead(origin.target());
            one.send(joined(ProxyHeaderWriter.version2(header("203.0.113.7")), connect));
            assertThat(one.readHead()).startsWith("HTTP/1.1 200 ");

            sameClient.send(joined(ProxyHeaderWriter.version2(header("203.0.113.7")), connect));
            assertThat(sameClient.readHead()).startsWith("HTTP/1.1 503 ").contains("\r\nRetry-After: ");
            other.send(joined(ProxyHeaderWriter.version2(header("203.0.113.8")), connect));
            assertThat(other.readHead()).startsWith("HTTP/1.1 200 ");
        }
    }

    // ------------------------------------------------------------------ false headers and untrusted senders

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CONNECT somewhere.example:443 HTTP/1.1\r\nHost: somewhere.example:443\r\n\r\n",
                "PROXY TCP4 203.0.113.7\r\n",
                "PROXY TCP4 203.0.113.7 198.51.100.1 40000 99999\r\n",
                "\r\n\r\n\0\r\nQUIT\nand garbage",
                "\u0016\u0003\u0001"
            })
    void aSenderWithoutAValidHeaderIsCutWithoutAWord(String first) throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();
            accepted.client().send(first);

            accepted.client().expectReset();

            ConnectionResult end = result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(end.reason()).isEqualTo(CloseReason.REFUSED);
            assertThat(end.cause()).hasFieldOrPropertyWithValue("reason", Reason.PROXY_PROTOCOL);
            assertThat(seen).isEmpty();
            assertThat(log.lines("its PROXY header is refused")).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PROXY nonsense\r\n", ""})
    void listenersReceiveTheSenderWhoseHeaderNamesNoClient(String first) throws Exception {
        BlockingQueue<ProxyListener.Client> opened = new LinkedBlockingQueue<>();
        try (Proxy proxy =
                        Proxy.start(settings -> settings.proxyProtocol(LOOPBACK).listener(new ProxyListener() {
                            @Override
                            public void connectionOpened(Client client) {
                                opened.add(client);
                            }
                        }));
                Peer sender = proxy.client()) {
            sender.send(first).shutdownOutput();

            ProxyListener.Client told = opened.poll(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            assertThat(told).isNotNull();
            assertThat(told.address()).isEqualTo(sender.socket().getLocalSocketAddress());
        }
    }

    @Test
    void aHeaderThatDoesNotComeInTimeIsRefused() throws Exception {
        try (Proxy proxy =
                        Proxy.start(settings -> settings.proxyProtocol(LOOPBACK).headTimeout(Duration.ofMillis(50)));
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            accepted.client().send("PROXY TCP4 203.0");

            accepted.client().expectReset();

            Ends.assertRefused(tunnel.join(), Reason.PROXY_PROTOCOL, 400);
        }
    }

    @Test
    void whatGoesWrongOverAndOverIsWarnedOfOnce() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Proxy proxy = Proxy.start(this::behindABalancer)) {
            for (int i = 0; i < 5; i++) {
                try (Peer client = proxy.client()) {
                    client.send("GET / HTTP/1.1\r\n\r\n").expectReset();
                }
            }

            await().atMost(PATIENCE).until(() -> proxy.handler().stats().refused() == 5);
            assertThat(log.lines("its PROXY header is refused")).hasSize(1);
        }
    }

    @Test
    void aHealthCheckThatOnlyConnectsIsNoFault() throws Exception {
        try (CapturedLog log = CapturedLog.start();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            accepted.client().close();

            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.CLIENT_GONE);
            assertThat(log.lines("WARN")).isEmpty();
        }
    }

    @Test
    void fromElsewhereAHeaderIsABadRequestAndNamesNoClient() throws Exception {
        try (Proxy proxy = Proxy.start(settings ->
                        settings.proxyProtocol(Cidr.parse("192.0.2.0/24")).accessPolicy(this::note));
                Peer client = proxy.client()) {
            client.send(ProxyHeaderWriter.version1(header("203.0.113.7")));

            assertThat(client.readHead()).startsWith("HTTP/1.1 400 ");
            assertThat(seen).isEmpty();
        }
    }

    @Test
    void fromElsewhereClientsNeedNone() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings ->
                        settings.proxyProtocol(Cidr.parse("192.0.2.0/24")).accessPolicy(this::note));
                Peer client = proxy.connect(origin.target())) {
            assertThat(client.send("served").readText(6)).isEqualTo("served");
            assertThat(seen()).isEqualTo(address("127.0.0.1"));
        }
    }

    @Test
    void aRequestThatTheHostServerHasReadHasNoHeader() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(this::behindABalancer);
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            proxy.handler().handleConnect(accepted.end(), ConnectRequest.to(origin.target()));

            assertThat(accepted.client().readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(seen()).isEqualTo(address("127.0.0.1"));
        }
    }

    @Test
    void aClientThatWaitsForAHeaderIsEndedByTheClose() throws IOException {
        try (Proxy proxy = Proxy.start(this::behindABalancer);
                Peer silent = proxy.client()) {
            await().atMost(PATIENCE).until(() -> proxy.handler().stats().openConnections() == 1);

            proxy.handler().close();

            silent.expectReset();
            assertThat(List.copyOf(seen)).isEmpty();
        }
    }
}
