package io.broxy.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import io.broxy.AddressPolicy;
import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.Copier;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.DirectDialer;
import io.broxy.EngineStats;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.Tunnel;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies an engine's life: its objects work until the engine is closed, and closing leaves nothing behind. */
@ExtendWith(LeakCheck.class)
class BroxyTest {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private static Broxy engine() {
        return Broxy.builder().eventLoops(2).build();
    }

    private static ProxyHandler handler(Broxy broxy) {
        return broxy.proxyHandler().addressPolicy(AddressPolicy.any()).build();
    }

    private static Peer client(ProxyServer server) throws IOException {
        return Peer.connect(server.localAddress());
    }

    private static Peer tunnel(ProxyServer server, HostPort target) throws IOException {
        Peer client = client(server).send(Proxy.connectHead(target));
        assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
        return client;
    }

    private static DialException failureOf(CompletableFuture<?> dial) throws Exception {
        try {
            dial.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            throw new AssertionError("the dial has come to a connection");
        } catch (ExecutionException e) {
            assertThat(e.getCause()).isInstanceOf(DialException.class);
            return (DialException) e.getCause();
        }
    }

    // ------------------------------------------------------------------ the end

    /** All descriptors of the test itself stay open meanwhile, so the count after the end is exact. */
    @Test
    void closeEndsEveryThreadAndEveryDescriptorWhateverIsInProgress() throws Exception {
        CountDownLatch counted = new CountDownLatch(1);
        List<Peer> peers = new ArrayList<>();
        try (Origin origin = Origin.start(peer -> counted.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
                AutoCloseable end = counted::countDown;
                BlackHole hole = BlackHole.open()) {
            List<String> before = LeakCheck.descriptors();
            Broxy broxy = engine();
            ProxyHandler handler = handler(broxy);
            ProxyServer server = broxy.listen(ANY_PORT, handler);
            ProxyHandler slow = broxy.proxyHandler().dialer(hanging()).build();
            ProxyServer slowServer = broxy.listen(ANY_PORT, slow);
            broxy.listen(ANY_PORT, handler); // a server without clients
            DirectDialer dialer = broxy.directDialer().build();
            for (int i = 0; i < 10; i++) {
                peers.add(tunnel(server, origin.target()));
            }
            peers.add(client(server)); // has said nothing
            peers.add(client(server).send("CONNECT example.org:443 HTTP")); // is within its head
            peers.add(client(server).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")); // lingers
            peers.add(client(server).send(Proxy.connectHead(hole.target()))); // waits for a dial on a loop
            peers.add(client(slowServer).send(Proxy.connectHead(origin.target()))); // waits for one of a user's dialer
            Tunnel threaded = handler.handleConnect(withoutChannel(peers, origin.target()));
            Tunnel relayed = broxy.copier().relay(dialer.dial(origin.target()), dialer.dial(origin.target()));
            CompletableFuture<Connection> dial = dialer.dialAsync(DialRequest.to(hole.target()), Runnable::run);
            await().atMost(PATIENCE)
                    .until(() -> handler.stats().openTunnels() == 12
                            && handler.stats().openConnections() >= 14
                            && slow.stats().openTunnels() == 1
                            && origin.accepted() == 13);

            broxy.close();

            assertThat(LeakCheck.engineThreads()).isEmpty();
            assertThat(LeakCheck.openedSince(before)).hasSize(peers.size() + origin.accepted());
            assertThat(failureOf(dial).reason()).isEqualTo(DialException.Reason.CANCELLED);
            assertThat(threaded.join().reason()).isEqualTo(CloseReason.CLOSED);
            assertThat(relayed.join().reason()).isEqualTo(CloseReason.CLOSED);
            assertThat(handler.stats().openConnections()).isZero();
            assertThat(slow.stats().openConnections()).isZero();
            peers.get(0).expectReset();
        } finally {
            for (Peer peer : peers) {
                peer.close();
            }
        }
    }

    private static Dialer hanging() {
        return request -> {
            try {
                new CountDownLatch(1).await();
                throw new AssertionError("the test does not release it");
            } catch (InterruptedException e) {
                throw new DialException(DialException.Reason.CANCELLED, request.target(), Duration.ZERO, List.of(), e);
            }
        };
    }

    /** A socket of java.net without a channel, over which the peer has sent its request. */
    private static Socket withoutChannel(List<Peer> peers, HostPort target) throws IOException {
        try (ServerSocket plain = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            peers.add(Peer.connect(plain.getLocalPort()).send(Proxy.connectHead(target)));
            return plain.accept();
        }
    }

    @Test
    void enginesComeAndGoAndLeaveNothing() throws Exception {
        List<String> before = LeakCheck.descriptors();
        for (int i = 0; i < 20; i++) {
            Broxy broxy = engine();
            broxy.listen(ANY_PORT, handler(broxy));
            broxy.close();

            assertThat(LeakCheck.engineThreads()).isEmpty();
            assertThat(LeakCheck.openedSince(before)).isEmpty();
        }
    }

    @Test
    void repeatedCloseChangesNothing() {
        Broxy broxy = engine();
        broxy.close();
        broxy.close();

        assertThat(LeakCheck.engineThreads()).isEmpty();
    }

    @Test
    void aClosedServerFreesItsPortAndItsEngineGoesOn() throws Exception {
        try (HeldPort held = HeldPort.open();
                Origin origin = Origin.echo();
                Broxy broxy = engine()) {
            ProxyHandler handler = handler(broxy);
            ProxyServer first = broxy.listen(held.address(), handler);
            try (Peer standing = tunnel(first, origin.target())) {
                first.close();
                first.close();
                first.join();

                ProxyServer second = broxy.listen(first.localAddress(), handler);
                assertThat(second.localAddress()).isEqualTo(first.localAddress());
                try (Peer fresh = tunnel(second, origin.target())) {
                    assertThat(fresh.send("fresh").readText(5)).isEqualTo("fresh");
                }
                assertThat(standing.send("standing").readText(8)).isEqualTo("standing");
            }
        }
    }

    @Test
    void aPortInUseIsReportedAndLeavesNothing() throws Exception {
        try (ServerSocketChannel other = ServerSocketChannel.open().bind(ANY_PORT);
                Broxy broxy = engine()) {
            List<String> before = LeakCheck.descriptors();

            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> broxy.listen(other.getLocalAddress(), handler(broxy)))
                    .withMessageContaining("cannot listen on")
                    .withCauseInstanceOf(BindException.class);
            assertThat(LeakCheck.openedSince(before)).isEmpty();
        }
    }

    @Test
    void connectionsThatUsersHoldStayOpen() throws Exception {
        try (Origin origin = Origin.echo()) {
            Broxy broxy = engine();
            DirectDialer dialer = broxy.directDialer().build();
            try (Connection dialed = dialer.dial(origin.target());
                    Connection async = dialer.dialAsync(DialRequest.to(origin.target()), Runnable::run)
                            .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                broxy.close();

                for (Connection connection : List.of(dialed, async)) {
                    connection.write(ByteBuffer.wrap(new byte[] {7}));
                    ByteBuffer answer = ByteBuffer.allocate(1);
                    assertThat(connection.read(answer)).isEqualTo(1);
                    assertThat(answer.get(0)).isEqualTo((byte) 7);
                }
            }
        }
    }

    // ------------------------------------------------------------------ threads of callbacks

    @Test
    void anInterruptedThreadClosesCompletelyAndIsStillInterrupted() throws Exception {
        Broxy broxy = engine();
        broxy.listen(ANY_PORT, handler(broxy));
        int loops = LeakCheck.engineThreads().size();
        Thread.currentThread().interrupt();

        broxy.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(loops).isEqualTo(2 * kindsOfLoops(broxy));
        assertThat(LeakCheck.engineThreads()).isEmpty();
    }

    // ------------------------------------------------------------------ after the end

    @Test
    void aClosedEngineMakesNothing() {
        Broxy broxy = engine();
        ProxyHandler handler = handler(broxy);
        broxy.close();

        assertThatIllegalStateException().isThrownBy(broxy::directDialer).withMessage("this Broxy is closed");
        assertThatIllegalStateException().isThrownBy(broxy::proxyHandler);
        assertThatIllegalStateException().isThrownBy(broxy::copier);
        assertThatIllegalStateException().isThrownBy(() -> broxy.listen(ANY_PORT, handler));
    }

    @Test
    void aDialOfAClosedEngineIsCancelled() throws Exception {
        Broxy broxy = engine();
        DirectDialer dialer = broxy.directDialer().build();
        broxy.close();

        CompletableFuture<Connection> dial =
                dialer.dialAsync(DialRequest.to(HostPort.parse("127.0.0.1:1")), Runnable::run);
        assertThat(failureOf(dial).reason()).isEqualTo(DialException.Reason.CANCELLED);
    }

    @Test
    void aClientOfAClosedEngineIsClosed() throws Exception {
        Broxy broxy = engine();
        ProxyHandler handler = handler(broxy);
        broxy.close();
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(ANY_PORT);
                Peer peer = Peer.connect(server.getLocalAddress())) {
            SocketChannel client = server.accept();

            Tunnel tunnel = handler.handleConnect(client);

            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.CLOSED);
            assertThat(client.isOpen()).isFalse();
            peer.expectEnd();
        }
    }

    @Test
    void aRelayOfAClosedEngineClosesBothItsConnections() throws Exception {
        try (Origin origin = Origin.echo()) {
            Broxy broxy = engine();
            Copier copier = broxy.copier();
            DirectDialer dialer = broxy.directDialer().build();
            Connection a = dialer.dial(origin.target());
            Connection b = dialer.dial(origin.target());
            broxy.close();

            copier.relay(a, b).join();

            assertThat(a.isOpen()).isFalse();
            assertThat(b.isOpen()).isFalse();
        }
    }

    // ------------------------------------------------------------------ settings

    @Test
    void thereAreAsManyLoopsAsAskedForAndOneForEachProcessorOtherwise() {
        try (Broxy three = Broxy.builder().eventLoops(3).build()) {
            assertThat(LeakCheck.engineThreads()).hasSize(3 * kindsOfLoops(three));
        }
        try (Broxy usual = Broxy.create()) {
            assertThat(LeakCheck.engineThreads())
                    .hasSize(Runtime.getRuntime().availableProcessors() * kindsOfLoops(usual));
        }
        try (Broxy nio =
                Broxy.builder().transport(TransportMode.NIO).eventLoops(3).build()) {
            assertThat(nio.stats().transport()).isEqualTo(EngineStats.Transport.NIO);
            assertThat(LeakCheck.engineThreads()).hasSize(3);
        }
    }

    /** Sockets of the engine's own have loops beside those of NIO channels. */
    private static int kindsOfLoops(Broxy broxy) {
        return broxy.stats().transport() == EngineStats.Transport.EPOLL ? 2 : 1;
    }

    @Test
    void thereIsAtLeastOneLoop() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Broxy.builder().eventLoops(0))
                .withMessageContaining("0");
        assertThatIllegalArgumentException().isThrownBy(() -> Broxy.builder().eventLoops(-1));
    }

    @Test
    void aConnectionIsMadeOfAnOwnChannelUnlessASelectorHasIt() throws Exception {
        try (Origin origin = Origin.echo();
                Broxy broxy = engine();
                Selector selector = Selector.open();
                SocketChannel registered = SocketChannel.open(origin.address());
                Connection own = broxy.asConnection(SocketChannel.open(origin.address()))) {
            registered.configureBlocking(false).register(selector, 0);

            assertThatIllegalStateException().isThrownBy(() -> broxy.asConnection(registered));
            assertThat(registered.isOpen()).isTrue();
            own.write(ByteBuffer.wrap(new byte[] {7}));
            assertThat(own.read(ByteBuffer.allocate(1))).isEqualTo(1);
        }
    }
}
