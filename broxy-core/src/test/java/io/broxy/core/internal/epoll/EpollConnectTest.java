package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.testkit.BlackHole;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies how a socket of the engine's own connects; in each case nothing is left of an attempt that has failed. */
@ExtendWith(LeakCheck.class)
class EpollConnectTest {
    private EpollRig rig;
    private List<String> before;
    private final List<LoopConnection> connected = new CopyOnWriteArrayList<>();
    private final List<IOException> failed = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() throws IOException {
        rig = new EpollRig();
        before = EpollRig.descriptors("socket:");
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private Runnable connect(InetSocketAddress address, SocketOptions options, @Nullable InetAddress local)
            throws Exception {
        return rig.call(() -> rig.poller.connect(rig.loop, address, options, local, connected::add, failed::add));
    }

    private void assertNoSocketIsLeft() throws Exception {
        List<String> now = EpollRig.descriptors("socket:");
        now.removeAll(before);
        assertThat(now).isEmpty();
        assertThat(rig.call(rig.poller::sockets)).isZero();
    }

    private static InetSocketAddress address(BlackHole hole) throws IOException {
        return new InetSocketAddress(hole.target().host(), hole.target().port());
    }

    private static InetAddress ipv6Loopback() throws UnknownHostException {
        byte[] bytes = new byte[16];
        bytes[15] = 1;
        return InetAddress.getByAddress(bytes);
    }

    private static InetSocketAddress refusing() {
        return new InetSocketAddress(
                InetAddress.getLoopbackAddress(), HeldPort.refusing().port());
    }

    @Test
    void aConnectOnTheLoopbackIsCompleteAtOnce() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            connect((InetSocketAddress) server.getLocalSocketAddress(), SocketOptions.DEFAULT, null);

            assertThat(connected).hasSize(1);
            try (Socket far = server.accept()) {
                assertThat(rig.call(() -> connected.get(0).localAddress())).isEqualTo(far.getRemoteSocketAddress());
                assertThat(rig.call(() -> connected.get(0).remoteAddress())).isEqualTo(far.getLocalSocketAddress());
            }
            assertThat(failed).isEmpty();
        }
    }

    @Test
    void aRefusalIsReported() throws Exception {
        connect(refusing(), SocketOptions.DEFAULT, null);

        EpollRig.await().until(() -> failed.size() == 1);
        assertThat(failed.get(0)).isInstanceOf(ConnectException.class).hasMessage("Connection refused");
        assertNoSocketIsLeft();
    }

    @Test
    void aLocalAddressIsUsed() throws Exception {
        InetAddress local = InetAddress.getByName("127.0.0.2");
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            connect((InetSocketAddress) server.getLocalSocketAddress(), SocketOptions.DEFAULT, local);

            try (Socket far = server.accept()) {
                assertThat(far.getInetAddress()).isEqualTo(local);
            }
        }
    }

    @Test
    void aLocalAddressOfAnotherMachineIsAFailureAndClosesTheSocket() throws Exception {
        assertThatThrownBy(() -> connect(refusing(), SocketOptions.DEFAULT, InetAddress.getByName("192.0.2.1")))
                .hasCauseInstanceOf(BindException.class);
        assertNoSocketIsLeft();
    }

    @Test
    void aLocalAddressOfTheOtherFamilyIsRefusedAndNotBoundToSomethingElse() throws Exception {
        assertThatThrownBy(() -> connect(refusing(), SocketOptions.DEFAULT, ipv6Loopback()))
                .hasCauseInstanceOf(UnsupportedAddressTypeException.class);
        assertNoSocketIsLeft();
    }

    @Test
    void anAttemptThatIsCancelledReportsNothing() throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            before = EpollRig.descriptors("socket:");
            Runnable cancel = connect(address(hole), SocketOptions.DEFAULT, null);
            rig.turn();
            assertThat(rig.call(rig.poller::sockets)).isEqualTo(1);

            rig.run(cancel::run);
            rig.run(cancel::run);

            assertNoSocketIsLeft();
            assertThat(connected).isEmpty();
            assertThat(failed).isEmpty();
        }
    }

    @Test
    void anAttemptThatTheLoopAbandonsFails() throws Exception {
        try (BlackHole hole = BlackHole.open()) {
            before = EpollRig.descriptors("socket:");
            connect(address(hole), SocketOptions.DEFAULT, null);
            rig.turn();

            assertThat(rig.loops.stop(EpollRig.PATIENCE.toNanos())).isTrue();

            assertThat(failed).hasSize(1);
            List<String> now = EpollRig.descriptors("socket:");
            now.removeAll(before);
            assertThat(now).isEmpty();
        }
    }
}
