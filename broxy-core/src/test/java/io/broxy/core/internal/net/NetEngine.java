package io.broxy.core.internal.net;

import static io.broxy.core.testkit.Peer.PATIENCE_MILLIS;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.bridge.BridgedConnection;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.relay.EngineCopier;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.tls.TlsConnection;
import io.broxy.core.internal.tls.TlsResources;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/** The parts of an engine, with one loop, and the ways of a connection between it and a user. */
public final class NetEngine implements AutoCloseable {
    public final BufferPool buffers = new BufferPool(16 << 20, 16 << 20);
    public final Workers workers = new Workers();
    final EventLoops loops;
    public final EventLoop loop;
    public final TlsResources means = new TlsResources(buffers, workers.callbacks(), Ticker.SYSTEM);
    public final EngineCopier copier;

    public NetEngine() throws IOException {
        this(Ticker.SYSTEM);
    }

    public NetEngine(Ticker ticker) throws IOException {
        loops = EventLoops.start(1, buffers, ticker);
        loop = loops.next();
        copier = new EngineCopier(loops, workers, buffers, ticker);
    }

    /** A connection to a port of the loopback. */
    public static SocketConnection connect(int port) throws IOException {
        return SocketConnection.of(SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
    }

    /** Runs something on the loop, and waits for it. */
    public <T> T onLoop(Callable<T> task) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                result.complete(task.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return patiently(result);
    }

    public static <T> T patiently(CompletableFuture<T> future) throws Exception {
        return future.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Puts a connection onto the loop. */
    public LoopConnection toLoop(Connection connection) throws Exception {
        Transferable own = (Transferable) connection;
        own.detach();
        assertThat(own.hasReadiness()).isTrue();
        own.unblock();
        return onLoop(() -> own.onLoop(loop));
    }

    /** Puts a connection that blocks onto the loop. */
    public LoopConnection bridge(Connection connection) throws Exception {
        return onLoop(() -> new BridgedConnection(loop, connection, connection.remoteAddress(), workers));
    }

    /** Gives a connection to a user again. */
    public Connection toUser(LoopConnection connection) throws Exception {
        CompletableFuture<Connection> user = new CompletableFuture<>();
        loop.execute(() -> connection.release(user::complete, user::completeExceptionally));
        return patiently(user);
    }

    /** Makes a connection secure, and gives it to a user. */
    public TlsConnection secure(Connection below, SSLContext context, HostPort peer) throws Exception {
        return (TlsConnection) toUser(secureOnLoop(below, context, peer));
    }

    /** Makes a connection secure on the loop. */
    public LoopConnection secureOnLoop(Connection below, SSLContext context, HostPort peer) throws Exception {
        LoopConnection base = below instanceof Transferable own && own.hasReadiness() ? toLoop(below) : bridge(below);
        CompletableFuture<LoopConnection> secured = new CompletableFuture<>();
        loop.execute(
                () -> new Tls(context, means).onLoop(base, peer, secured::complete, secured::completeExceptionally));
        return patiently(secured);
    }

    @Override
    public void close() throws Exception {
        copier.close();
        assertThat(loops.stop(TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS)))
                .as("the loop has ended")
                .isTrue();
        assertThat(workers.stop(TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS)))
                .as("the workers have ended")
                .isTrue();
        assertThat(buffers.heldBytes()).as("bytes held on loops").isZero();
    }
}
