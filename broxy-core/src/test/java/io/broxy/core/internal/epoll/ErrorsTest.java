package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.core.internal.net.PeerEndedException;
import io.broxy.core.internal.net.WriteFailures;
import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that a failure has the type and the message that a channel gives for the same failure. */
@ExtendWith(LeakCheck.class)
class ErrorsTest {
    private EpollRig rig;

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    @BeforeEach
    void start() throws IOException {
        rig = new EpollRig();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    /** How a connect fails, whether it throws or reports. */
    private Throwable connecting(InetSocketAddress address, @Nullable String local) throws Exception {
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        InetAddress localAddress = local == null ? null : InetAddress.getByName(local);
        rig.run(() -> {
            try {
                rig.poller.connect(
                        rig.loop,
                        address,
                        SocketOptions.DEFAULT,
                        localAddress,
                        connection -> failure.complete(new AssertionError("connected")),
                        failure::complete);
            } catch (IOException e) {
                failure.complete(e);
            }
        });
        return failure.get(EpollRig.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static Throwable connectingAChannel(InetSocketAddress address, @Nullable String local) {
        return catchThrowable(() -> {
            try (SocketChannel channel = SocketChannel.open()) {
                if (local != null) {
                    channel.bind(new InetSocketAddress(local, 0));
                }
                channel.connect(address);
            }
        });
    }

    private static void assertSame(Throwable own, Throwable nios) {
        assertThat(own).hasSameClassAs(nios).hasMessage(nios.getMessage());
    }

    @Test
    void refused() throws Exception {
        InetSocketAddress address = new InetSocketAddress(
                InetAddress.getLoopbackAddress(), HeldPort.refusing().port());

        assertSame(connecting(address, null), connectingAChannel(address, null));
    }

    @Test
    void localAddressOfAnotherMachine() throws Exception {
        InetSocketAddress address = new InetSocketAddress(
                InetAddress.getLoopbackAddress(), HeldPort.refusing().port());

        Throwable own = connecting(address, "192.0.2.1");
        assertThat(own).isInstanceOf(BindException.class);
        assertSame(own, connectingAChannel(address, "192.0.2.1"));
    }

    /** What no system routes: the failure differs from machine to machine, and is the same for both here. */
    @ParameterizedTest
    @ValueSource(strings = {"255.255.255.255", "240.0.0.1", "2001:db8::1", "fe80::1"})
    void unreachable(String host) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), 9);
        Throwable nios = connectingAChannelThatDoesNotBlock(address);
        assumeTrue(nios != null, "this machine has a route to it");

        assertSame(connecting(address, null), Objects.requireNonNull(nios));
    }

    /** The failure; null for none at once. */
    private static @Nullable Throwable connectingAChannelThatDoesNotBlock(InetSocketAddress address) {
        return catchThrowable(() -> {
            try (SocketChannel channel = SocketChannel.open()) {
                channel.configureBlocking(false);
                channel.connect(address);
            }
        });
    }

    @Test
    void addressInUse() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            InetSocketAddress address = (InetSocketAddress) other.getLocalSocketAddress();
            EpollTransport transport = EpollTransport.open();
            assertThat(transport).isNotNull();

            assertSame(catchThrowable(() -> transport.bind(address, 1)), catchThrowable(() -> {
                try (ServerSocketChannel server = ServerSocketChannel.open()) {
                    server.bind(address);
                }
            }));
        }
    }

    @Test
    void readOfAConnectionThatWasReset() throws Exception {
        EpollRig.Pair pair = rig.pair();
        pair.far().reset();
        ByteBuffer into = ByteBuffer.allocateDirect(10);
        Throwable own = rig.call(() -> {
            Throwable[] failure = new Throwable[1];
            EpollRig.await().until(() -> {
                failure[0] = catchThrowable(() -> pair.near().read(into));
                return failure[0] != null;
            });
            return failure[0];
        });

        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Peer peer = Peer.connect(server.getLocalAddress());
            try (SocketChannel channel = server.accept()) {
                peer.reset();
                assertSame(own, catchThrowable(() -> channel.read(into)));
            }
        }
    }

    @Test
    void writeBehindTheEndOfTheConnectionIsThePeersEnd() throws Exception {
        EpollRig.Pair pair = rig.pair();
        pair.far().close();
        Throwable failure = rig.call(() -> {
            Throwable[] last = new Throwable[1];
            EpollRig.await().until(() -> {
                last[0] = catchThrowable(() -> pair.near().write(ByteBuffer.allocateDirect(10)));
                return last[0] != null;
            });
            return last[0];
        });

        assertThat(failure).isInstanceOf(IOException.class);
        assertThat(WriteFailures.isAfterEnd((IOException) failure)
                        || failure.toString().contains("reset"))
                .as("%s", failure)
                .isTrue();
        assertThat(Errors.of(Errors.EPIPE))
                .isInstanceOf(PeerEndedException.class)
                .hasRootCauseMessage("Broken pipe");
    }

    @Test
    void aClosedDescriptorIsAFailure() throws Exception {
        Libc libc = new Libc();

        assertThat(catchThrowable(() -> libc.checked(libc.call(Libc.LISTEN, -1, 1))))
                .isInstanceOf(java.net.SocketException.class);
        assertThat(libc.errno()).isEqualTo(9);
    }

    @Test
    void whatIsNotReadyHasMovedNothing() throws Exception {
        EpollRig.Pair pair = rig.pair();

        assertThat(rig.call(() -> pair.near().read(ByteBuffer.allocateDirect(1))))
                .isZero();
    }
}
