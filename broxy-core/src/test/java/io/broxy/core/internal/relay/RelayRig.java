package io.broxy.core.internal.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.TunnelResult;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Connector;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopSocket;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.StreamConnection;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Sockets;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;

/**
 * An engine of one loop with parts that a test can inspect, and relays between real sockets with far ends that the test holds.
 */
final class RelayRig implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    static final Idleness PATIENT =
            new Idleness(TimeUnit.MINUTES.toNanos(5), TimeUnit.MINUTES.toNanos(5), TimeUnit.MINUTES.toNanos(5));

    /** What a kernel's buffer on the way to a peer has, where a test wants bytes to be held; the kernel doubles it. */
    private static final int SMALL_BUFFER = 8 << 10;

    /** How a relay is made. */
    enum Way {
        /** Two sockets of the loop's kind. */
        LOOP,
        /** Two sockets without channels, for which threads block. */
        THREADS,
        /** A client with a channel and an origin without. */
        MIXED
    }

    /** One of a tunnel's ends. */
    enum Side {
        CLIENT,
        ORIGIN;

        Side other() {
            return this == CLIENT ? ORIGIN : CLIENT;
        }

        CloseReason reset() {
            return this == CLIENT ? CloseReason.CLIENT_RESET : CloseReason.ORIGIN_RESET;
        }
    }

    /** A running relay and its far ends. */
    record Relayed(Peer client, Peer origin, TunnelHandle tunnel) {
        Peer peer(Side side) {
            return side == Side.CLIENT ? client : origin;
        }

        long bytesFrom(Side side) {
            return side == Side.CLIENT ? tunnel.bytesToOrigin() : tunnel.bytesToClient();
        }

        TunnelResult result() throws Exception {
            return tunnel.completion().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        }

        boolean hasEnded() {
            return tunnel.completion().isDone();
        }
    }

    final BufferPool buffers = new BufferPool(1 << 20, 64 << 20);
    final Workers workers = new Workers();
    final EventLoops loops;
    final EventLoop loop;
    private final Sockets sockets;
    private final Ticker ticker;

    /** Limits the rate of the relays to come. */
    Function<EventLoop, @Nullable Throttles> throttles = loop -> null;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<TunnelHandle> tunnels = new ArrayList<>();

    RelayRig(Sockets sockets) throws IOException {
        this(sockets, Ticker.SYSTEM);
    }

    RelayRig(Sockets sockets, Ticker ticker) throws IOException {
        this.sockets = sockets;
        this.ticker = ticker;
        loops = sockets.startLoops(1, buffers, ticker);
        loop = loops.next();
    }

    // ------------------------------------------------------------------ relays

    Relayed relay(Way way) throws Exception {
        return relay(way, PATIENT, false);
    }

    Relayed narrow(Way way, Idleness idleness) throws Exception {
        return relay(way, idleness, true);
    }

    /** A relay with kernel buffers towards the peers so small that a peer that does not read leaves bytes held. */
    Relayed narrow(Way way) throws Exception {
        return relay(way, PATIENT, true);
    }

    Relayed relay(Way way, Idleness idleness) throws Exception {
        return relay(way, idleness, false);
    }

    private Relayed relay(Way way, Idleness idleness, boolean narrow) throws Exception {
        return switch (way) {
            case LOOP -> onLoop(idleness, narrow, connection -> connection);
            case THREADS -> {
                Accepted<Socket> client = socket(narrow);
                Accepted<Socket> origin = socket(narrow);
                yield onThreads(
                        client.peer,
                        new StreamConnection(client.near),
                        origin.peer,
                        new StreamConnection(origin.near),
                        idleness);
            }
            case MIXED -> {
                Accepted<SocketChannel> client = channel(narrow);
                Accepted<Socket> origin = socket(narrow);
                yield onThreads(
                        client.peer,
                        SocketConnection.of(client.near),
                        origin.peer,
                        new StreamConnection(origin.near),
                        idleness);
            }
        };
    }

    /** A relay on the loop over connections that a test has wrapped. */
    Relayed onLoop(Idleness idleness, boolean narrow, UnaryOperator<LoopConnection> wrap) throws Exception {
        Accepted<LoopConnection> client = onLoop(narrow);
        Accepted<LoopConnection> origin = onLoop(narrow);
        TunnelHandle tunnel = tunnel();
        inLoop(() -> {
            Relay.start(
                    wrap.apply(client.near),
                    wrap.apply(origin.near),
                    idleness,
                    tunnel,
                    throttles.apply(loop),
                    null,
                    null,
                    0);
        });
        return new Relayed(client.peer, origin.peer, tunnel);
    }

    /** A relay of connections that block, or one of which does. */
    Relayed onThreads(Peer client, Connection toClient, Peer origin, Connection toOrigin, Idleness idleness)
            throws Exception {
        TunnelHandle tunnel = tunnel();
        HandOff one = taken(toClient);
        HandOff other = taken(toOrigin);
        inLoop(() -> {
            Relay.start(one.onLoop(loop), other.onLoop(loop), idleness, tunnel, throttles.apply(loop), null, null, 0);
        });
        return new Relayed(client, origin, tunnel);
    }

    private HandOff taken(Connection connection) throws IOException {
        ((Transferable) connection).detach();
        return HandOff.of(connection, workers);
    }

    TunnelHandle tunnel() {
        TunnelHandle tunnel = new TunnelHandle(ticker, workers::complete, (ended, result) -> {});
        tunnels.add(tunnel);
        return tunnel;
    }

    /** The CPU time that the loop has used. */
    long loopCpuNanos() throws InterruptedException {
        AtomicLong nanos = new AtomicLong();
        inLoop(() -> nanos.set(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()));
        return nanos.get();
    }

    // ------------------------------------------------------------------ sockets

    /** A connected pair: the test's end, and the relay's. */
    record Accepted<T>(Peer peer, T near) {}

    Accepted<SocketChannel> channel(boolean narrow) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Peer peer = connect(server.getLocalAddress(), narrow);
            SocketChannel near = server.accept();
            open.add(near);
            if (narrow) {
                near.setOption(StandardSocketOptions.SO_SNDBUF, SMALL_BUFFER);
            }
            return new Accepted<>(peer, near);
        }
    }

    /** A connection on the loop, of the loop's kind. */
    Accepted<LoopConnection> onLoop(boolean narrow) throws Exception {
        if (sockets == Sockets.EPOLL) {
            return dialed(narrow);
        }
        Accepted<SocketChannel> accepted = channel(narrow);
        accepted.near.configureBlocking(false);
        return new Accepted<>(accepted.peer, new LoopSocket(loop, accepted.near));
    }

    private Accepted<LoopConnection> dialed(boolean narrow) throws Exception {
        SocketOptions options = narrow
                ? SocketOptions.DEFAULT.with(StandardSocketOptions.SO_SNDBUF, SMALL_BUFFER)
                : SocketOptions.DEFAULT;
        try (ServerSocket server = new ServerSocket()) {
            if (narrow) {
                server.setReceiveBufferSize(SMALL_BUFFER);
            }
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            CompletableFuture<LoopConnection> near = new CompletableFuture<>();
            inLoop(() -> {
                try {
                    ((Connector) loop.poller())
                            .connect(
                                    loop,
                                    (InetSocketAddress) server.getLocalSocketAddress(),
                                    options,
                                    null,
                                    near::complete,
                                    near::completeExceptionally);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            Socket far = server.accept();
            open.add(far);
            return new Accepted<>(new Peer(far), near.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    Accepted<Socket> socket(boolean narrow) throws IOException {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Peer peer = connect(server.getLocalSocketAddress(), narrow);
            Socket near = server.accept();
            open.add(near);
            if (narrow) {
                near.setSendBufferSize(SMALL_BUFFER);
            }
            return new Accepted<>(peer, near);
        }
    }

    private Peer connect(java.net.SocketAddress address, boolean narrow) throws IOException {
        Socket socket = new Socket();
        open.add(socket);
        if (narrow) {
            socket.setReceiveBufferSize(SMALL_BUFFER);
        }
        socket.connect(address, Peer.PATIENCE_MILLIS);
        return new Peer(socket);
    }

    /** A wait for a condition, which is looked at often. */
    static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
    }

    // ------------------------------------------------------------------ the loop

    /** Runs something on the loop, and waits until it has run. */
    void inLoop(Runnable task) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        loop.execute(() -> {
            try {
                task.run();
            } catch (Throwable e) {
                failure.set(e);
            }
            done.countDown();
        });
        assertThat(done.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
        assertThat(failure.get()).isNull();
    }

    /** Lets the loop make so many turns, each with a select and a look at the timers. */
    void turns(int count) throws InterruptedException {
        for (int i = 0; i < count; i++) {
            inLoop(() -> {});
        }
    }

    /** Waits until the relays hold unwritten bytes. */
    void awaitHeld() {
        await().until(() -> buffers.heldBytes() > 0);
    }

    /** Ends all relays and all threads; nothing may be held then. */
    @Override
    public void close() throws Exception {
        for (TunnelHandle tunnel : tunnels) {
            tunnel.end(CloseReason.CLOSED);
        }
        boolean loopsEnded = loops.stop(PATIENCE.toNanos());
        boolean workersEnded = workers.stop(PATIENCE.toNanos());
        for (AutoCloseable socket : open) {
            socket.close();
        }
        assertThat(loopsEnded).as("the loop has ended").isTrue();
        assertThat(workersEnded).as("the executors have ended").isTrue();
        assertThat(buffers.heldBytes()).as("held bytes in the end").isZero();
    }
}
