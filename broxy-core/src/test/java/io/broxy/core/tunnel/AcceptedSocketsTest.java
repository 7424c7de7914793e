package io.broxy.core.tunnel;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.ClientHandle;
import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.ConnectionResult;
import io.broxy.HostPort;
import io.broxy.Tunnel;
import io.broxy.TunnelResult;
import io.broxy.core.testkit.Accepted;
import io.broxy.core.testkit.Ends;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies what becomes of the sockets that an embedder passes to a handler. */
@ExtendWith(LeakCheck.class)
class AcceptedSocketsTest {
    private static final ConnectRequest REQUEST = ConnectRequest.to(HostPort.of("127.0.0.1", 1));

    @Test
    void aRegisteredChannelIsMisuseAndStaysUntouched() throws Exception {
        try (Proxy proxy = Proxy.start();
                Selector selector = Selector.open();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            SocketChannel channel = accepted.end();
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ, "mine");
            Socket socket = channel.socket();

            for (Runnable handOver : new Runnable[] {
                () -> proxy.handler().handleConnect(channel),
                () -> proxy.handler().handleConnect(socket),
                () -> proxy.handler().handleConnect(channel, REQUEST),
                () -> proxy.handler().handleConnect(socket, REQUEST),
                () -> proxy.handler().handle(channel),
                () -> proxy.handler().handle(socket)
            }) {
                assertThatThrownBy(handOver::run)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("registered");
            }

            assertThat(key.isValid()).isTrue();
            assertThat(key.interestOps()).isEqualTo(SelectionKey.OP_READ);
            accepted.client().send("still mine");
            assertThat(selector.select(Peer.PATIENCE_MILLIS)).isEqualTo(1);
            assertThat(channel.read(ByteBuffer.allocate(99))).isEqualTo(10);
            assertThat(proxy.handler().stats().totalConnections()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aChannelMayComeInEitherMode(boolean blocking) throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            accepted.end().configureBlocking(blocking);

            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());

            accepted.client().send(Proxy.connectHead(origin.target())).readHead();
            accepted.client().shutdownOutput().expectEnd();
            Ends.assertEnded(tunnel.join(), CloseReason.FINISHED);
            assertThat(accepted.end().isOpen()).isFalse();
        }
    }

    @Test
    void whatIsClosedOrNotConnectedYieldsATunnelThatHasEnded() throws Exception {
        try (Proxy proxy = Proxy.start();
                SocketChannel notConnected = SocketChannel.open();
                SocketChannel closedChannel = SocketChannel.open();
                Socket notConnectedSocket = new Socket();
                Socket closedSocket = new Socket()) {
            closedChannel.close();
            closedSocket.close();

            for (Tunnel tunnel : new Tunnel[] {
                proxy.handler().handleConnect(notConnected),
                proxy.handler().handleConnect(closedChannel),
                proxy.handler().handleConnect(notConnectedSocket),
                proxy.handler().handleConnect(closedSocket),
            }) {
                TunnelResult result = tunnel.join();
                assertThat(result.reason()).isEqualTo(CloseReason.CLIENT_GONE);
                assertThat(result.cause()).isInstanceOf(IOException.class);
            }

            assertThat(notConnected.isOpen()).isFalse();
            assertThat(notConnectedSocket.isClosed()).isTrue();
            assertThat(proxy.handler().stats().openConnections()).isZero();
            assertThat(proxy.handler().stats().totalConnections()).isEqualTo(4);
        }
    }

    @Test
    void aUnixDomainSocketIsServedToo(@TempDir Path folder) throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("proxy"));
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                ServerSocketChannel server =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
                SocketChannel client = SocketChannel.open(address);
                SocketChannel other = SocketChannel.open(address)) {
            Tunnel tunnel = proxy.handler().handleConnect(server.accept());
            Tunnel closed = proxy.handler().handleConnect(server.accept());

            client.write(ByteBuffer.wrap((Proxy.connectHead(origin.target()) + "over a path").getBytes(ISO_8859_1)));
            client.shutdownOutput();
            closed.close();

            ByteBuffer answer = ByteBuffer.allocate(99);
            while (client.read(answer) >= 0) {}
            assertThat(new String(answer.array(), 0, answer.position(), ISO_8859_1))
                    .isEqualTo("HTTP/1.1 200 OK\r\n\r\nover a path");
            Ends.assertEnded(tunnel.join(), CloseReason.FINISHED);
            Ends.assertEnded(closed.join(), CloseReason.CLOSED);
            assertThat(other.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    // ------------------------------------------------------------------ handle

    @Test
    void aWholeConnectionMayBecomeATunnel() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> one = Accepted.channel();
                Accepted<Socket> other = Accepted.socket()) {
            CompletableFuture<ConnectionResult> first =
                    proxy.handler().handle(one.end()).completion();
            CompletableFuture<ConnectionResult> second =
                    proxy.handler().handle(other.end()).completion();

            for (Peer client : new Peer[] {one.client(), other.client()}) {
                client.send(Proxy.connectHead(origin.target()) + "to and fro").readHead();
                client.shutdownOutput();
                assertThat(client.readAll()).isEqualTo("to and fro");
            }

            for (ConnectionResult result : new ConnectionResult[] {first.get(), second.get()}) {
                assertThat(result.reason()).isEqualTo(CloseReason.FINISHED);
                assertThat(result.cause()).isNull();
                assertThat(result.duration()).isPositive();
                assertThat(result.tunnel())
                        .isNotNull()
                        .extracting(TunnelResult::bytesToOrigin, TunnelResult::target)
                        .containsExactly(10L, origin.target());
            }
        }
    }

    @Test
    void aWholeConnectionThatBecomesNoTunnelHasNone() throws Exception {
        try (Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            CompletableFuture<ConnectionResult> result =
                    proxy.handler().handle(accepted.end()).completion();

            assertThat(accepted.client()
                            .send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                            .readAll())
                    .startsWith("HTTP/1.1 400 Bad Request\r\n");
            accepted.client().close();

            assertThat(result.get().reason()).isEqualTo(CloseReason.REFUSED);
            assertThat(result.get().tunnel()).isNull();
        }
    }

    @Test
    void closingTheHandleOfAWholeConnectionResetsItAndEndingItsFutureDoesNot() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> one = Accepted.channel();
                Accepted<Socket> other = Accepted.socket()) {
            ClientHandle first = proxy.handler().handle(one.end());
            ClientHandle second = proxy.handler().handle(other.end());
            for (Peer client : new Peer[] {one.client(), other.client()}) {
                client.send(Proxy.connectHead(origin.target())).readHead();
            }

            first.completion().cancel(false);
            second.completion().completeExceptionally(new IllegalStateException("mine alone"));
            for (Peer client : new Peer[] {one.client(), other.client()}) {
                assertThat(client.send("unharmed").readText(8)).isEqualTo("unharmed");
            }
            CompletableFuture<ConnectionResult> waiting = first.completion();

            first.close();
            second.close();

            one.client().expectReset();
            other.client().expectReset();
            assertThat(first.join().reason()).isEqualTo(CloseReason.CLOSED);
            assertThat(second.join().reason()).isEqualTo(CloseReason.CLOSED);
            assertThat(waiting.get()).isEqualTo(first.join());
            assertThat(first.completion()).isCompletedWithValue(first.join());
        }
    }

    // ------------------------------------------------------------------ the tunnel in hand

    @Test
    void endingAFutureOfCompletionAffectsNothing() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            CompletableFuture<TunnelResult> other = tunnel.completion();

            tunnel.completion().cancel(true);
            tunnel.completion().completeExceptionally(new IllegalStateException("mine alone"));

            Peer client = accepted.client();
            client.send(Proxy.connectHead(origin.target())).readHead();
            assertThat(client.send("unharmed").readText(8)).isEqualTo("unharmed");
            client.shutdownOutput().expectEnd();
            Ends.assertEnded(other.get(), CloseReason.FINISHED);
            assertThat(tunnel.completion()).isCompletedWithValue(tunnel.join());
        }
    }

    @Test
    void dependentsOfCompletionRunOffTheLoops() throws Exception {
        CompletableFuture<String> thread = new CompletableFuture<>();
        CountDownLatch release = new CountDownLatch(1);
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start(); // two loops, and dependents that block more often than that
                Peer other = proxy.connect(origin.target())) {
            for (int i = 0; i < 4; i++) {
                try (Accepted<SocketChannel> accepted = Accepted.channel()) {
                    proxy.handler().handleConnect(accepted.end()).completion().thenRun(() -> {
                        thread.complete(Thread.currentThread().getName());
                        awaitQuietly(release);
                    });
                }
            }
            assertThat(thread.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).doesNotContain("loop");
            assertThat(other.send("still served").readText(12)).isEqualTo("still served");
            release.countDown();
        }
    }

    @Test
    void closeResetsBothSides() throws Exception {
        CompletableFuture<Boolean> originReset = new CompletableFuture<>();
        try (Origin origin = Origin.start(peer -> {
                    peer.expectReset();
                    originReset.complete(true);
                });
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            accepted.client().send(Proxy.connectHead(origin.target())).readHead();

            tunnel.close();
            tunnel.close();

            accepted.client().expectReset();
            assertThat(originReset.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS))
                    .isTrue();
            Ends.assertEnded(tunnel.join(), CloseReason.CLOSED);
            tunnel.close();
            assertThat(tunnel.join().reason()).isEqualTo(CloseReason.CLOSED);
        }
    }

    @Test
    void anInterruptedJoinLeavesTheTunnelAsItIs() throws Exception {
        try (Origin origin = Origin.echo();
                Proxy proxy = Proxy.start();
                Accepted<SocketChannel> accepted = Accepted.channel()) {
            Tunnel tunnel = proxy.handler().handleConnect(accepted.end());
            Thread.currentThread().interrupt();

            assertThatThrownBy(tunnel::join).isInstanceOf(InterruptedException.class);

            accepted.client().send(Proxy.connectHead(origin.target())).readHead();
        }
    }

    @Test
    void callersMayBeVirtualThreads() throws Exception {
        try (Origin origin = Origin.echo();
                ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                Proxy proxy = Proxy.start()) {
            CompletableFuture<TunnelResult> result = new CompletableFuture<>();
            Thread embedder = unstartedVirtualThreadOrElsePlatform(() -> complete(result, () -> {
                try {
                    return proxy.handler().handleConnect(server.accept()).join();
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }));
            embedder.start();

            try (Peer client = Peer.connect(server.getLocalPort())) {
                client.send(Proxy.connectHead(origin.target())).readHead();
                assertThat(client.send("x").readText(1)).isEqualTo("x");
                client.shutdownOutput().expectEnd();
            }
            Ends.assertEnded(result.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS), CloseReason.FINISHED);
        }
    }

    private static <T> void complete(CompletableFuture<T> future, Supplier<T> value) {
        try {
            future.complete(value.get());
        } catch (RuntimeException e) {
            future.completeExceptionally(e);
        }
    }

    /** {@code Thread.ofVirtual().unstarted(task)} where the JDK has it. */
    private static Thread unstartedVirtualThreadOrElsePlatform(Runnable task) throws ReflectiveOperationException {
        if (Runtime.version().feature() < 21) {
            return new Thread(task);
        }
        Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
        return (Thread) Class.forName("java.lang.Thread$Builder")
                .getMethod("unstarted", Runnable.class)
                .invoke(builder, task);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
