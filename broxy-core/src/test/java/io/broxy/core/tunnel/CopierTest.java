package io.broxy.core.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.Copier;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.ForeignConnection;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Payload;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies {@link Copier#relay} as its users see it. */
@ExtendWith(LeakCheck.class)
class CopierTest {
    /** What a connection of a user is made of. */
    private enum Kind {
        CHANNEL,
        SOCKET,
        /** A third-party implementation. */
        FOREIGN
    }

    private record End(Peer peer, Connection connection) {}

    private final List<Peer> peers = new ArrayList<>();
    private final List<Connection> connections = new ArrayList<>();
    private Broxy broxy;
    private Copier copier;

    @BeforeEach
    void start() {
        broxy = Broxy.builder().eventLoops(2).build();
        copier = broxy.copier();
    }

    @AfterEach
    void stop() throws IOException {
        broxy.close();
        for (Peer peer : peers) {
            peer.close();
        }
        for (Connection connection : connections) {
            connection.close(); // nothing, if it was given away
        }
    }

    private End end(Kind kind) throws IOException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        End end;
        if (kind == Kind.SOCKET) {
            try (ServerSocket server = new ServerSocket()) {
                server.bind(any);
                end = new End(Peer.connect(server.getLocalSocketAddress()), broxy.asConnection(server.accept()));
            }
        } else {
            try (ServerSocketChannel server = ServerSocketChannel.open().bind(any)) {
                Peer peer = Peer.connect(server.getLocalAddress());
                Connection connection = broxy.asConnection(server.accept());
                end = new End(peer, kind == Kind.FOREIGN ? ForeignConnection.over(connection) : connection);
            }
        }
        peers.add(end.peer);
        connections.add(end.connection);
        return end;
    }

    private static TunnelResult result(Tunnel tunnel) throws Exception {
        return tunnel.completion().get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @ParameterizedTest
    @EnumSource
    void relaysBothWaysToTheirEnds(Kind kind) throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(kind);
        byte[] there = Payload.bytes(1 << 20, 1);
        byte[] back = Payload.bytes(1 << 20, 2);

        Tunnel tunnel = copier.relay(a.connection, b.connection);
        CompletableFuture<?> sendingThere =
                Background.run(() -> a.peer.send(there).shutdownOutput());
        assertThat(b.peer.read(there.length)).isEqualTo(there);
        b.peer.expectEnd();
        CompletableFuture<?> sendingBack =
                Background.run(() -> b.peer.send(back).shutdownOutput());
        assertThat(a.peer.read(back.length)).isEqualTo(back);
        a.peer.expectEnd();
        sendingThere.get();
        sendingBack.get();

        TunnelResult result = result(tunnel);
        assertThat(result.reason()).isEqualTo(CloseReason.FINISHED);
        assertThat(result.bytesToOrigin()).isEqualTo(there.length);
        assertThat(result.bytesToClient()).isEqualTo(back.length);
        assertThat(result.target()).isNull();
        assertThat(result.identity()).isNull();
        assertThat(tunnel.bytesToOrigin()).isEqualTo(there.length);
        assertThat(tunnel.join()).isEqualTo(result);
    }

    @ParameterizedTest
    @EnumSource
    void resetOfOneIsAResetOfTheOther(Kind kind) throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(kind);
        Tunnel tunnel = copier.relay(a.connection, b.connection);

        b.peer.reset();

        a.peer.expectReset();
        assertThat(result(tunnel).reason()).isEqualTo(CloseReason.ORIGIN_RESET);
    }

    @ParameterizedTest
    @EnumSource
    void closeRightAfterTheStartResetsBoth(Kind kind) throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(kind);

        Tunnel tunnel = copier.relay(a.connection, b.connection);
        tunnel.close();

        assertThat(result(tunnel).reason()).isEqualTo(CloseReason.CLOSED);
        a.peer.expectReset();
        b.peer.expectReset();
    }

    @ParameterizedTest
    @EnumSource
    void endOfTheEngineResetsBoth(Kind kind) throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(kind);
        Tunnel tunnel = copier.relay(a.connection, b.connection);
        a.peer.send("x");
        b.peer.read(1);

        broxy.close();

        assertThat(result(tunnel).reason()).isEqualTo(CloseReason.CLOSED);
        a.peer.expectReset();
        b.peer.expectReset();
    }

    @ParameterizedTest
    @EnumSource
    void afterTheEndOfTheEngineBothAreResetAtOnce(Kind kind) throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(kind);
        broxy.close();

        Tunnel tunnel = copier.relay(a.connection, b.connection);

        assertThat(result(tunnel).reason()).isEqualTo(CloseReason.CLOSED);
        a.peer.expectReset();
        b.peer.expectReset();
    }

    // ------------------------------------------------------------------ ownership

    @Test
    void theFormerOwnerOfAConnectionCanNeitherUseNorCloseIt() throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(Kind.SOCKET);
        copier.relay(a.connection, b.connection);

        assertThatThrownBy(() -> a.connection.read(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> b.connection.write(ByteBuffer.allocate(1))).isInstanceOf(IOException.class);
        a.connection.close();
        b.connection.abort();
        a.peer.send("still there");
        assertThat(b.peer.readText(11)).isEqualTo("still there");
    }

    @Test
    void connectionThatWasGivenAwayIsMisuseAndTheOtherStaysWithItsUser() throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(Kind.CHANNEL);
        End free = end(Kind.CHANNEL);
        copier.relay(a.connection, b.connection);

        assertThatIllegalStateException().isThrownBy(() -> copier.relay(a.connection, free.connection));
        assertThatIllegalStateException().isThrownBy(() -> copier.relay(free.connection, b.connection));

        free.connection.write(ByteBuffer.wrap(new byte[] {'o', 'k'}));
        assertThat(free.peer.readText(2)).isEqualTo("ok");
        a.peer.send("running");
        assertThat(b.peer.readText(7)).isEqualTo("running");
    }

    @Test
    void connectionCannotBeRelayedToItself() throws Exception {
        End a = end(Kind.CHANNEL);

        assertThatIllegalArgumentException().isThrownBy(() -> copier.relay(a.connection, a.connection));
        assertThat(a.connection.isOpen()).isTrue();
    }

    @Test
    void twoConnectionsOverOneChannelAreTheSame() throws Exception {
        try (ServerSocketChannel server =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            peers.add(Peer.connect(server.getLocalAddress()));
            SocketChannel channel = server.accept();
            Connection one = broxy.asConnection(channel);
            Connection other = broxy.asConnection(channel);
            connections.add(one);

            assertThatIllegalArgumentException().isThrownBy(() -> copier.relay(one, other));
            assertThat(one.isOpen()).isTrue();
        }
    }

    @Test
    void nullIsMisuse() throws Exception {
        End a = end(Kind.CHANNEL);

        assertThatNullPointerException().isThrownBy(() -> copier.relay(a.connection, nothing()));
        assertThatNullPointerException().isThrownBy(() -> copier.relay(nothing(), a.connection));
        assertThat(a.connection.isOpen()).isTrue();
    }

    @SuppressWarnings("NullAway") // what a caller without a checker may do
    private static Connection nothing() {
        return null;
    }

    @ParameterizedTest
    @EnumSource
    void closedConnectionIsAFailureThatResetsTheOther(Kind kind) throws Exception {
        End a = end(Kind.CHANNEL);
        End b = end(kind);
        a.connection.close();

        Tunnel tunnel = copier.relay(a.connection, b.connection);

        assertThat(result(tunnel).reason()).isEqualTo(CloseReason.FAILED);
        assertThat(result(tunnel).cause()).isInstanceOf(ClosedChannelException.class);
        b.peer.expectReset();
    }
}
