package io.broxy.core.internal.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.Tunnel;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Specifies that bytes that were read ahead come first: for users, sockets, loops and relays. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class UnreadBytesTest {
    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(US_ASCII));
    }

    private static String read(Connection connection, int atMost) throws Exception {
        ByteBuffer into = ByteBuffer.allocate(atMost);
        int count = connection.read(into);
        return new String(into.array(), 0, count, US_ASCII);
    }

    private static String text(CompletableFuture<byte[]> bytes) throws Exception {
        return new String(NetEngine.patiently(bytes), US_ASCII);
    }

    // ------------------------------------------------------------------ a user's connection

    @Test
    void comeFirstForAUser() throws Exception {
        try (Origin origin = Origin.greeting("wire");
                SocketConnection connection = NetEngine.connect(origin.port())) {
            connection.unread(bytes("behind"));
            connection.unread(bytes("before "));
            assertThat(read(connection, 4)).isEqualTo("befo");
            assertThat(read(connection, 100)).isEqualTo("re behind");
            assertThat(read(connection, 100)).isEqualTo("wire");
        }
    }

    @Test
    void areCopied() throws Exception {
        try (Origin origin = Origin.discard();
                SocketConnection connection = NetEngine.connect(origin.port())) {
            ByteBuffer source = bytes("abc");
            connection.unread(source);
            assertThat(source.hasRemaining()).isFalse();
            source.put(0, (byte) 'X');
            assertThat(read(connection, 100)).isEqualTo("abc");
        }
    }

    @Test
    void comeFirstForTheUserOfASocketWithoutAChannel() throws Exception {
        try (Origin origin = Origin.greeting("wire");
                StreamConnection connection =
                        new StreamConnection(Peer.connect(origin.port()).socket())) {
            connection.unread(bytes("left over "));
            InputStream in = connection.asSocket().getInputStream();
            assertThat(new String(in.readNBytes(14), US_ASCII)).isEqualTo("left over wire");
        }
    }

    @Test
    void goAlongWhenAConnectionIsDetached() throws Exception {
        try (Origin origin = Origin.greeting("wire");
                SocketConnection first = NetEngine.connect(origin.port())) {
            first.unread(bytes("left over"));
            first.detach();
            try (Connection second = first.detached()) {
                assertThat(read(second, 100)).isEqualTo("left over");
                assertThat(read(second, 100)).isEqualTo("wire");
            }
        }
    }

    // ------------------------------------------------------------------ a user's socket

    @Test
    void areInTheSocketOfTheConnection() throws Exception {
        try (Origin origin = Origin.start(peer -> {
                    peer.send("wire");
                    assertThat(peer.readAll()).isEqualTo("from the socket");
                    peer.send("!");
                });
                SocketConnection connection = NetEngine.connect(origin.port())) {
            connection.unread(bytes("left over "));
            Socket socket = connection.asSocket();
            assertThat(socket.isConnected()).isTrue();
            assertThat(socket.getPort()).isEqualTo(origin.port());
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(connection.remoteAddress());
            assertThat(socket.getLocalSocketAddress()).isEqualTo(connection.localAddress());
            assertThat(socket.getInputStream().available()).isGreaterThanOrEqualTo(10);
            assertThat(new String(socket.getInputStream().readNBytes(14), US_ASCII))
                    .isEqualTo("left over wire");
            assertThat(connection.asSocket()).as("the same view").isSameAs(socket);

            socket.getOutputStream().write("from the socket".getBytes(US_ASCII));
            socket.shutdownOutput();
            assertThat(socket.getInputStream().read()).isEqualTo('!');
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void doNotKeepTheReadsOfASocketFromTimingOut() throws Exception {
        CompletableFuture<Void> timedOut = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    NetEngine.patiently(timedOut);
                    peer.send("late");
                    peer.expectEnd();
                });
                SocketConnection connection = NetEngine.connect(origin.port())) {
            connection.unread(bytes("left over"));
            Socket socket = connection.asSocket();
            socket.setSoTimeout(50);
            assertThat(socket.getSoTimeout()).isEqualTo(50);
            InputStream in = socket.getInputStream();
            assertThat(new String(in.readNBytes(9), US_ASCII)).isEqualTo("left over");
            assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
            socket.setSoTimeout(Peer.PATIENCE_MILLIS);
            timedOut.complete(null);
            assertThat(new String(in.readNBytes(4), US_ASCII)).isEqualTo("late");
        }
    }

    @Test
    void leaveTheOptionsOfTheSocketToTheChannel() throws Exception {
        try (Origin origin = Origin.discard();
                SocketConnection connection = NetEngine.connect(origin.port())) {
            Socket own = connection.transport();
            Socket view = connection.asSocket();
            connection.unread(bytes("left over"));
            assertThat(connection.asSocket()).isSameAs(view).isNotSameAs(own);
            view.setTcpNoDelay(true);
            view.setKeepAlive(true);
            view.setSoLinger(true, 7);
            assertThat(own.getTcpNoDelay()).isTrue();
            assertThat(own.getKeepAlive()).isTrue();
            assertThat(own.getSoLinger()).isEqualTo(7);
            assertThat(view.getSoLinger()).isEqualTo(7);
            view.setSoLinger(false, 0);
            assertThat(own.getSoLinger()).isEqualTo(-1);
        }
    }

    @Test
    void shareOneLifeWithTheSocket() throws Exception {
        try (Origin origin = Origin.start(Peer::expectEnd)) {
            SocketConnection connection = NetEngine.connect(origin.port());
            connection.unread(bytes("left over"));
            Socket socket = connection.asSocket();
            socket.close();
            assertThat(connection.isOpen()).isFalse();

            SocketConnection other = NetEngine.connect(origin.port());
            other.unread(bytes("left over"));
            Socket view = other.asSocket();
            other.close();
            assertThat(view.isClosed()).isTrue();
            assertThatThrownBy(view::getInputStream).hasMessageContaining("closed");
        }
    }

    @Test
    void endTheReadingOfASocketWhoseInputIsShutDown() throws Exception {
        try (Origin origin = Origin.discard();
                SocketConnection connection = NetEngine.connect(origin.port())) {
            connection.unread(bytes("x"));
            Socket socket = connection.asSocket();
            InputStream in = socket.getInputStream();
            assertThat(in.read()).isEqualTo('x');
            CompletableFuture<Integer> waiting = new CompletableFuture<>();
            Thread reader = new Thread(() -> {
                try {
                    waiting.complete(in.read());
                } catch (Exception e) {
                    waiting.completeExceptionally(e);
                }
            });
            reader.start();
            socket.shutdownInput();
            assertThat(NetEngine.patiently(waiting)).isEqualTo(-1);
            reader.join();
        }
    }

    // ------------------------------------------------------------------ on a loop

    @Test
    void areReportedToAHandlerThoughTheSocketIsSilent() throws Exception {
        try (NetEngine engine = new NetEngine();
                Origin origin = Origin.discard()) {
            LoopConnection connection = engine.toLoop(NetEngine.connect(origin.port()));
            LoopReader reader = engine.onLoop(() -> {
                connection.unread(bytes("left over"));
                return LoopReader.read(connection, 9, 2);
            });
            assertThat(text(reader.result)).isEqualTo("left over");
            engine.onLoop(() -> {
                connection.close();
                return null;
            });
        }
    }

    @Test
    void areReportedToAHandlerThatWaitsAlready() throws Exception {
        try (NetEngine engine = new NetEngine();
                Origin origin = Origin.discard()) {
            LoopConnection connection = engine.toLoop(NetEngine.connect(origin.port()));
            LoopReader reader = engine.onLoop(() -> LoopReader.read(connection, 9, 100));
            engine.onLoop(() -> {
                connection.unread(bytes("over"));
                connection.unread(bytes("left "));
                return null;
            });
            assertThat(text(reader.result)).isEqualTo("left over");
            engine.onLoop(() -> {
                connection.abort();
                return null;
            });
        }
    }

    @Test
    void comeBeforeTheWireAndItsEnd() throws Exception {
        try (NetEngine engine = new NetEngine();
                Origin origin =
                        Origin.start(peer -> peer.send("wire").shutdownOutput().expectEnd())) {
            SocketConnection user = NetEngine.connect(origin.port());
            user.unread(bytes("left over "));
            LoopConnection connection = engine.toLoop(user);
            LoopReader reader = engine.onLoop(() -> LoopReader.readAll(connection));
            assertThat(text(reader.result)).isEqualTo("left over wire");
            engine.onLoop(() -> {
                connection.close();
                return null;
            });
        }
    }

    @Test
    void areNotReportedToAHandlerThatDoesNotWantThem() throws Exception {
        try (NetEngine engine = new NetEngine();
                Origin origin = Origin.discard()) {
            LoopConnection connection = engine.toLoop(NetEngine.connect(origin.port()));
            AtomicInteger told = new AtomicInteger();
            engine.onLoop(() -> {
                connection.handler(counting(told));
                connection.interest(SelectionKey.OP_READ);
                connection.unread(bytes("left over"));
                connection.interest(0); // before the turn in which it would be notified
                return null;
            });
            engine.onLoop(() -> null);
            engine.onLoop(() -> null);
            assertThat(told.get()).isZero();
            engine.onLoop(() -> {
                connection.close();
                return null;
            });
        }
    }

    private static ChannelEvents counting(AtomicInteger told) {
        return new ChannelEvents() {
            @Override
            public void ready(int readyOps) {
                told.incrementAndGet();
            }

            @Override
            public void abandoned(Throwable cause) {}
        };
    }

    @Test
    void abandonAHandlerThatFails() throws Exception {
        CompletableFuture<Throwable> abandoned = new CompletableFuture<>();
        try (NetEngine engine = new NetEngine();
                Origin origin = Origin.start(Peer::expectEnd)) {
            LoopConnection connection = engine.toLoop(NetEngine.connect(origin.port()));
            IllegalStateException failure = new IllegalStateException("for the test");
            engine.onLoop(() -> {
                connection.unread(bytes("left over"));
                connection.handler(new ChannelEvents() {
                    @Override
                    public void ready(int readyOps) {
                        throw failure;
                    }

                    @Override
                    public void abandoned(Throwable cause) {
                        abandoned.complete(cause);
                    }
                });
                connection.interest(SelectionKey.OP_READ);
                return null;
            });
            assertThat(NetEngine.patiently(abandoned)).isSameAs(failure);
            assertThat(engine.<Boolean>onLoop(connection::isOpen)).isFalse();
        }
    }

    @Test
    void goFromALoopToAUser() throws Exception {
        try (NetEngine engine = new NetEngine();
                Origin origin = Origin.greeting("wire")) {
            LoopConnection connection = engine.toLoop(NetEngine.connect(origin.port()));
            engine.onLoop(() -> {
                connection.unread(bytes("left over"));
                return null;
            });
            try (Connection user = engine.toUser(connection)) {
                assertThat(read(user, 100)).isEqualTo("left over");
                assertThat(read(user, 100)).isEqualTo("wire");
            }
        }
    }

    @Test
    void areRelayedFirst() throws Exception {
        try (NetEngine engine = new NetEngine();
                Origin left = Origin.start(peer -> {
                    assertThat(peer.readText(14)).isEqualTo("left over wire");
                    peer.shutdownOutput().expectEnd();
                });
                Origin right =
                        Origin.start(peer -> peer.send("wire").shutdownOutput().expectEnd())) {
            SocketConnection source = NetEngine.connect(right.port());
            source.unread(bytes("left over "));
            Tunnel tunnel = engine.copier.relay(NetEngine.connect(left.port()), source);
            assertThat(NetEngine.patiently(tunnel.completion()).reason()).isEqualTo(CloseReason.FINISHED);
            assertThat(tunnel.bytesToClient()).isEqualTo(14);
        }
    }
}
