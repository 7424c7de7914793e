package io.broxy.core.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.broxy.AccessRequest;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.ClientHandler;
import io.broxy.DialException;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyStats;
import io.broxy.RefusedException;
import io.broxy.core.Broxy;
import io.broxy.core.PortForward;
import io.broxy.core.ProxyServer;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.CapturedLog;
import io.broxy.core.testkit.Events;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies the ports that lead to one target, for clients that know of no proxy. */
@ExtendWith(LeakCheck.class)
class PortForwardTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private Broxy broxy;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
    }

    @AfterEach
    void end() {
        broxy.close();
    }

    private PortForward forward(HostPort target) throws IOException {
        return broxy.forward(ANY_PORT, target, broxy.directDialer().build());
    }

    private static Peer client(PortForward forward) throws IOException {
        return Peer.connect(forward.localAddress());
    }

    private static HostPort hostPort(InetSocketAddress address) {
        return HostPort.of(address.getAddress().getHostAddress(), address.getPort());
    }

    /** The client is reset before it has read a byte, perhaps while it connects. */
    private static void expectReset(SocketAddress address) throws IOException {
        try (Peer client = Peer.connect(address)) {
            client.expectReset();
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private static void awaitRest(Supplier<ProxyStats> stats) {
        await().untilAsserted(() -> assertThat(stats.get().openConnections()).isZero());
    }

    // ------------------------------------------------------------------ what the client reads and writes

    @Test
    void aClientHasTheTargetsBytesAndNoOthers() throws Exception {
        int count = 3 << 20;
        byte[] sent = Payload.bytes(count, 1);
        try (Origin origin = Origin.echo();
                PortForward forward = forward(origin.target());
                Peer client = client(forward)) {
            Future<?> sending = Background.run(() -> client.send(sent).shutdownOutput());

            assertThat(client.read(count)).isEqualTo(sent);
            client.expectEnd();
            sending.get();
            awaitRest(forward::stats);
            assertThat(forward.target()).isEqualTo(origin.target());
            assertThat(forward.stats().establishedTunnels()).isEqualTo(1);
            assertThat(forward.stats().bytesToOrigin()).isEqualTo(count);
            assertThat(forward.stats().bytesToClient()).isEqualTo(count);
        }
    }

    @Test
    void aTargetThatSpeaksFirstIsHeard() throws Exception {
        try (Origin origin = Origin.greeting("SSH-2.0-broxy\r\n");
                PortForward forward = forward(origin.target());
                Peer client = client(forward)) {
            assertThat(client.readLine()).isEqualTo("SSH-2.0-broxy");
        }
    }

    @Test
    void bytesAndTheEndOfAClientThatIsEarlyReachTheTarget() throws Exception {
        CountDownLatch mayDial = new CountDownLatch(1);
        Dialer direct = broxy.directDialer().build();
        Dialer late = request -> {
            awaitQuietly(mayDial);
            return direct.dial(request);
        };
        try (Origin origin = Origin.echo();
                PortForward forward = broxy.forward(ANY_PORT, origin.target(), late);
                Peer client = client(forward).send("early").shutdownOutput()) {
            await().until(() -> forward.stats().openTunnels() == 1);
            mayDial.countDown();

            assertThat(client.readAll()).isEqualTo("early");
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aResetOfTheTargetResetsTheClient() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.read(2);
                    peer.reset();
                });
                PortForward forward = forward(origin.target());
                Peer client = client(forward).send("go")) {
            client.expectReset();
        }
    }

    @Test
    void aResetOfTheClientResetsTheTarget() throws Exception {
        CompletableFuture<Boolean> reset = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.send("hello");
                    peer.expectReset();
                    reset.complete(true);
                });
                PortForward forward = forward(origin.target());
                Peer client = client(forward)) {
            client.readText(5);
            client.reset();

            assertThat(reset.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        }
    }

    // ------------------------------------------------------------------ dialers

    @Test
    void aProxyOnTheWayIsAskedForTheNameOfTheTarget() throws Exception {
        AtomicReference<HostPort> asked = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.accessPolicy(request -> {
                    asked.set(request.target());
                    return true;
                }));
                PortForward forward = broxy.forward(
                        ANY_PORT,
                        HostPort.of("localhost", origin.port()),
                        broxy.httpProxyDialer(hostPort(proxy.address())).build());
                Peer client = client(forward).send("through").shutdownOutput()) {
            assertThat(client.readAll()).isEqualTo("through");
            assertThat(asked.get()).isEqualTo(HostPort.of("localhost", origin.port()));
        }
    }

    @Test
    void aDialerMayBeTheUsersOwn() throws Exception {
        Dialer direct = broxy.directDialer().build();
        try (Origin origin = Origin.echo();
                PortForward forward = broxy.forward(
                        ANY_PORT, origin.target(), request -> ForeignConnection.over(direct.dial(request)));
                Peer client = client(forward).send("by my own means").shutdownOutput()) {
            assertThat(client.readAll()).isEqualTo("by my own means");
        }
    }

    @Test
    void aClientWhoseTargetIsNotReachedIsResetAndCounted() throws Exception {
        HostPort target = HeldPort.refusing();
        try (CapturedLog log = CapturedLog.startWithAll("io.broxy.core.internal.proxy.DefaultProxyHandler");
                PortForward forward = forward(target)) {
            expectReset(forward.localAddress());
            awaitRest(forward::stats);

            assertThat(forward.stats().dialFailures(DialException.Reason.REFUSED))
                    .isEqualTo(1);
            assertThat(forward.stats().bytesToClient()).isZero();
            await().untilAsserted(() -> assertThat(log.lines("tunnel to " + target + ": DIAL_FAILED"))
                    .singleElement()
                    .asString()
                    .contains("DEBUG"));
        }
    }

    @Test
    void aDialerThatThrowsResetsTheClient() throws Exception {
        Dialer broken = request -> {
            throw new IllegalStateException("broken");
        };
        try (PortForward forward = broxy.forward(ANY_PORT, HostPort.of("example.org", 443), broken)) {
            expectReset(forward.localAddress());
            awaitRest(forward::stats);
        }
    }

    @Test
    void aClientThatGoesEndsItsDial() throws Exception {
        try (BlackHole hole = BlackHole.open();
                PortForward forward = forward(hole.target())) {
            Peer client = client(forward);
            await().until(() -> forward.stats().openTunnels() == 1);
            client.reset();

            awaitRest(forward::stats);
            assertThat(forward.stats().dialFailures()).isZero();
        }
    }

    // ------------------------------------------------------------------ the port

    @Test
    void anAddressInUseIsNamedAndNothingStaysOpen() throws Exception {
        try (Origin origin = Origin.echo()) {
            assertThatThrownBy(() -> broxy.forward(
                            origin.address(),
                            origin.target(),
                            broxy.directDialer().build()))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("cannot listen on ")
                    .hasMessageContaining(":" + origin.port() + ": ");
        }
    }

    @Test
    void closingFreesThePortAndResetsTheClients() throws Exception {
        try (HeldPort held = HeldPort.open();
                Origin origin = Origin.echo();
                PortForward forward = broxy.forward(
                        held.address(), origin.target(), broxy.directDialer().build());
                Peer client = client(forward).send("open")) {
            client.readText(4);
            forward.close();
            forward.close();
            forward.join();

            client.expectReset();
            assertThatThrownBy(() -> Peer.connect(held.port())).isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void drainingLetsTheClientsFinish() throws Exception {
        try (HeldPort held = HeldPort.open();
                Origin origin = Origin.echo();
                PortForward forward = broxy.forward(
                        held.address(), origin.target(), broxy.directDialer().build());
                Peer client = client(forward).send("open")) {
            client.readText(4);
            Future<Boolean> drained = Background.supply(() -> forward.drain(Duration.ofMillis(Peer.PATIENCE_MILLIS)));
            forward.join();

            assertThatThrownBy(() -> Peer.connect(held.port())).isInstanceOf(ConnectException.class);
            assertThat(client.send("still").shutdownOutput().readAll()).isEqualTo("still");
            assertThat(drained.get()).isTrue();
        }
    }

    @Test
    void drainingResetsTheClientsThatDoNotFinish() throws Exception {
        try (Origin origin = Origin.echo();
                PortForward forward = forward(origin.target());
                Peer client = client(forward).send("open")) {
            client.readText(4);

            assertThat(forward.drain(Duration.ZERO)).isFalse();
            client.expectReset();
        }
    }

    @Test
    void closingTheEngineResetsTheClients() throws Exception {
        try (Origin origin = Origin.echo();
                PortForward forward = forward(origin.target());
                Peer client = client(forward).send("open")) {
            client.readText(4);
            broxy.close();

            client.expectReset();
            forward.join();
            assertThatThrownBy(() -> forward(origin.target())).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void noProxyOfTheEngineLeadsToThePort() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                PortForward forward = proxy.broxy()
                        .forward(
                                ANY_PORT,
                                origin.target(),
                                proxy.broxy().directDialer().build());
                Peer client =
                        proxy.client().send(Proxy.connectHead(hostPort((InetSocketAddress) forward.localAddress())))) {
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aPortDoesNotLeadToItself() throws Exception {
        try (HeldPort held = HeldPort.open();
                PortForward forward = broxy.forward(
                        held.address(), held.target(), broxy.directDialer().build())) {
            expectReset(forward.localAddress());
            awaitRest(forward::stats);
            assertThat(forward.stats().dialFailures(DialException.Reason.DENIED))
                    .isEqualTo(1);
            assertThat(forward.stats().totalConnections()).isEqualTo(1);
        }
    }

    // ------------------------------------------------------------------ a port of a handler

    /** A proxy and a port of its handler. */
    private static ProxyServer port(Proxy proxy, HostPort target) throws IOException {
        return proxy.broxy().listen(ANY_PORT, proxy.handler().tunnelTo(target));
    }

    @Test
    void aPortOfAHandlerSharesItsAccountAndIsReported() throws Exception {
        Events events = new Events();
        try (CapturedLog log = CapturedLog.startWithAccess();
                Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(events));
                ProxyServer port = port(proxy, origin.target());
                Peer client = Peer.connect(port.localAddress()).send("hello").shutdownOutput()) {
            assertThat(client.readAll()).isEqualTo("hello");
            String request = "CONNECT " + origin.target() + " by null";
            assertThat(events.untilClosed())
                    .containsExactly(
                            "opened",
                            "established " + request,
                            "tunnel ended " + request + ": FINISHED, 5 up, 5 down",
                            "closed: FINISHED, exchanges 0");
            assertThat(proxy.handler().stats().establishedTunnels()).isEqualTo(1);
            await().untilAsserted(() -> assertThat(log.lines("io.broxy.access"))
                    .singleElement()
                    .asString()
                    .contains(" method=CONNECT target=" + origin.target() + " status=200 peer=" + origin.target() + " "
                            + "to_origin=5 to_client=5 "));
        }
    }

    @Test
    void theAccessPolicyDecidesAndTheAuthenticatorIsNotAsked() throws Exception {
        AtomicReference<AccessRequest> asked = new AtomicReference<>();
        Events events = new Events();
        Authenticator none = Authenticator.basic("here", (user, password) -> false);
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.listener(events)
                        .authenticator(none)
                        .accessPolicy(request -> {
                            asked.set(request);
                            return request.target().equals(origin.target());
                        }));
                ProxyServer port = port(proxy, origin.target());
                ProxyServer refusing = port(proxy, HostPort.of("example.org", 443));
                Peer client = Peer.connect(port.localAddress()).send("hello").shutdownOutput()) {
            assertThat(client.readAll()).isEqualTo("hello");
            assertThat(asked).hasValueSatisfying(request -> {
                assertThat(request.method()).isEqualTo("CONNECT");
                assertThat(request.identity()).isNull();
                assertThat(request.client()).isEqualTo(InetAddress.getLoopbackAddress());
            });
            awaitRest(proxy.handler()::stats);

            expectReset(refusing.localAddress());
            awaitRest(proxy.handler()::stats);
            assertThat(proxy.handler().stats().refused(RefusedException.Reason.ACCESS_DENIED))
                    .isEqualTo(1);
            await().untilAsserted(() ->
                    assertThat(events.all()).contains("refused CONNECT example.org:443 by null: ACCESS_DENIED"));
        }
    }

    @Test
    void theAddressPolicyOfTheHandlerHolds() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.addressPolicy(AddressPolicy.publicOnly()));
                ProxyServer port = port(proxy, origin.target())) {
            expectReset(port.localAddress());
            awaitRest(proxy.handler()::stats);
            assertThat(proxy.handler().stats().dialFailures(DialException.Reason.DENIED))
                    .isEqualTo(1);
        }
    }

    @Test
    void aClientBeyondTheLimitIsReset() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.maxConnections(1));
                ProxyServer port = port(proxy, origin.target());
                Peer first = Peer.connect(port.localAddress()).send("first")) {
            first.readText(5);
            expectReset(port.localAddress());
            await().untilAsserted(() -> assertThat(proxy.handler().stats().refused(RefusedException.Reason.LIMIT))
                    .isEqualTo(1));
            assertThat(first.send("on").readText(2)).isEqualTo("on");
        }
    }

    @Test
    void theTimesOfTheHandlerHold() throws Exception {
        try (BlackHole hole = BlackHole.open();
                Origin origin = Origin.discard();
                Proxy proxy = Proxy.start(
                        settings -> settings.dialTimeout(Duration.ofMillis(20)).idleTimeout(Duration.ofMillis(20)));
                ProxyServer nowhere = port(proxy, hole.target());
                ProxyServer idle = port(proxy, origin.target());
                Peer first = Peer.connect(nowhere.localAddress());
                Peer second = Peer.connect(idle.localAddress())) {
            first.expectReset();
            second.expectReset();
            awaitRest(proxy.handler()::stats);
            assertThat(proxy.handler().stats().dialFailures(DialException.Reason.TIMEOUT))
                    .isEqualTo(1);
        }
    }

    @Test
    void aHandlerThatDrainsResetsNewClients() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ProxyServer port = port(proxy, origin.target())) {
            assertThat(proxy.handler().drain(Duration.ZERO)).isTrue();
            expectReset(port.localAddress());
            assertThat(origin.accepted()).isZero();
        }
    }

    @Test
    void aBalancerInFrontNamesTheClient() throws Exception {
        AtomicReference<AccessRequest> asked = new AtomicReference<>();
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(settings -> settings.proxyProtocol(Cidr.parse("127.0.0.0/8"))
                        .accessPolicy(request -> {
                            asked.set(request);
                            return true;
                        }));
                ProxyServer port = port(proxy, origin.target());
                Peer client = Peer.connect(port.localAddress())
                        .send("PROXY TCP4 192.0.2.7 198.51.100.1 5000 443\r\nhello")
                        .shutdownOutput()) {
            assertThat(client.readAll()).isEqualTo("hello");
            InetAddress announced = InetAddress.getByName("192.0.2.7");
            assertThat(asked)
                    .hasValueSatisfying(request -> assertThat(request.client()).isEqualTo(announced));
        }
    }

    @Test
    void aServerOfTheEmbeddersOwnMayUseThePortsHandler() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ServerSocketChannel server = ServerSocketChannel.open().bind(ANY_PORT);
                Peer client =
                        Peer.connect(server.getLocalAddress()).send("mine").shutdownOutput()) {
            ClientHandler handler = proxy.handler().tunnelTo(origin.target());
            handler.serve(server.accept());
            assertThat(client.readAll()).isEqualTo("mine");
        }
    }
}
