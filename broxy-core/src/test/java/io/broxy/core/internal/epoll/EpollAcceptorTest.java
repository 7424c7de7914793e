package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.net.AcceptedSocket;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.NativeTransport;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies how a server's socket of the engine's own accepts; {@code AcceptorTest} has what it shares with channels. */
@ExtendWith(LeakCheck.class)
class EpollAcceptorTest {
    private final List<AcceptedSocket> accepted = new CopyOnWriteArrayList<>();
    private final List<Peer> peers = new ArrayList<>();
    private final AtomicInteger closed = new AtomicInteger();
    private EpollRig rig;
    private NativeTransport.@Nullable Bound bound;
    private @Nullable Acceptor<?> acceptor;

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() throws Exception {
        rig = new EpollRig();
    }

    @AfterEach
    void stop() throws Exception {
        for (Peer peer : peers) {
            peer.close();
        }
        for (AcceptedSocket client : accepted) {
            client.close();
        }
        rig.close();
    }

    private void listen(String host) throws Exception {
        NativeTransport.Bound socket = Objects.requireNonNull(EpollTransport.open())
                .bind(new InetSocketAddress(InetAddress.getByName(host), 0), 200);
        Acceptor<?> listening = socket.onLoop(rig.loop, accepted::add, closed::incrementAndGet);
        bound = socket;
        acceptor = listening;
        rig.run(listening::start);
    }

    private NativeTransport.Bound bound() {
        return Objects.requireNonNull(bound, "listen first");
    }

    private Acceptor<?> acceptor() {
        return Objects.requireNonNull(acceptor, "listen first");
    }

    private Peer connect(String host) throws Exception {
        Peer peer =
                Peer.connect(new InetSocketAddress(host, bound().localAddress().getPort()));
        peers.add(peer);
        return peer;
    }

    private void awaitAccepted(int count) {
        EpollRig.await().until(() -> accepted.size() == count);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1,127.0.0.1", "::1,::1", "0.0.0.0,127.0.0.1", "0.0.0.0,::1", "::,127.0.0.1", "::,::1"})
    void clientsOfEitherFamilyComeWithTheirAddresses(String at, String to) throws Exception {
        listen(at);
        Peer peer = connect(to);
        awaitAccepted(1);

        assertThat(accepted.get(0).remoteAddress()).isEqualTo(peer.socket().getLocalSocketAddress());
        rig.run(acceptor()::close);
    }

    @Test
    void aClientIsServedOnItsLoop() throws Exception {
        listen("127.0.0.1");
        Peer peer = connect("127.0.0.1").send("hi");
        awaitAccepted(1);
        AcceptedSocket client = accepted.remove(0);
        LoopConnection connection = rig.call(() -> client.onLoop(rig.loop));
        ByteBuffer into = ByteBuffer.allocateDirect(2);
        EpollRig.await().until(() -> rig.call(() -> connection.read(into)) > 0);
        rig.run(() -> connection.write(into.flip()));

        assertThat(peer.readText(2)).isEqualTo("hi");
        assertThat(rig.call(() -> connection.localAddress())).isEqualTo(bound().localAddress());
        int fd = rig.call(((EpollSocket) connection)::descriptor);
        assertThat(rig.call(() -> EpollRig.option(rig.poller.libc, fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY)))
                .as("TCP_NODELAY")
                .isEqualTo(1);
        rig.run(connection::close);
        peer.expectEnd();
        rig.run(acceptor()::close);
    }

    @Test
    void manyClientsAtOnceAreAllAccepted() throws Exception {
        listen("127.0.0.1");
        for (int i = 0; i < 150; i++) {
            connect("127.0.0.1");
        }
        awaitAccepted(150);
        rig.run(acceptor()::close);
    }

    @Test
    void clientsInTheQueueAtTheCloseAreAcceptedAndLaterOnesRefused() throws Exception {
        listen("127.0.0.1");
        rig.run(() -> {
            for (int i = 0; i < 20; i++) {
                connect("127.0.0.1");
            }
            acceptor().close();
        });
        awaitAccepted(20);

        EpollRig.await().until(() -> closed.get() == 1);
        assertThatThrownBy(() -> connect("127.0.0.1")).isInstanceOf(ConnectException.class);
        rig.run(acceptor()::close);
        assertThat(closed).hasValue(1);
    }

    @Test
    void theEndOfTheLoopClosesTheServer() throws Exception {
        listen("127.0.0.1");
        assertThat(rig.loops.stop(EpollRig.PATIENCE.toNanos())).isTrue();

        assertThat(closed).hasValue(1);
        assertThatThrownBy(() -> connect("127.0.0.1")).isInstanceOf(ConnectException.class);
    }

    @Test
    void aServerThatNoLoopHasIsClosedByItself() throws Exception {
        NativeTransport.Bound unused = Objects.requireNonNull(EpollTransport.open())
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        int port = unused.localAddress().getPort();
        unused.close();

        assertThatThrownBy(() -> Peer.connect(port)).isInstanceOf(ConnectException.class);
    }
}
