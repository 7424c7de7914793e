package io.broxy.core.internal.relay;

import io.broxy.CloseReason;
import io.broxy.Connection;
import io.broxy.Copier;
import io.broxy.CopyException;
import io.broxy.Tunnel;
import io.broxy.core.internal.bridge.HandOff;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.SocketConnection;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.net.WriteFailures;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/** The copier of an engine. Threading: thread-safe. */
public final class EngineCopier implements Copier {
    /** The defaults of {@link io.broxy.ProxyHandler.Builder}. */
    private static final Idleness IDLENESS =
            new Idleness(TimeUnit.MINUTES.toNanos(5), TimeUnit.SECONDS.toNanos(60), TimeUnit.MINUTES.toNanos(5));

    private final EventLoops loops;
    private final Workers workers;
    private final Ticker ticker;
    private final ChannelCopier copier;
    private final Set<TunnelHandle> running = ConcurrentHashMap.newKeySet();

    /** Creates the copier. */
    public EngineCopier(EventLoops loops, Workers workers, BufferPool buffers, Ticker ticker) {
        this.loops = loops;
        this.workers = workers;
        this.ticker = ticker;
        this.copier = new ChannelCopier(buffers);
        WriteFailures.learn();
    }

    @Override
    public long copy(ReadableByteChannel source, WritableByteChannel sink) throws CopyException {
        return copier.copy(source, sink);
    }

    @Override
    public Tunnel relay(Connection a, Connection b) {
        if (isSame(Objects.requireNonNull(a, "a"), Objects.requireNonNull(b, "b"))) {
            throw new IllegalArgumentException("a connection cannot be relayed to itself");
        }
        TunnelHandle tunnel = new TunnelHandle(ticker, workers::complete, (ended, result) -> running.remove(ended));
        try {
            detachBoth(a, b);
        } catch (ClosedChannelException e) {
            abort(a, b);
            tunnel.ended(CloseReason.FAILED, e, 0, 0);
            return tunnel;
        }
        running.add(tunnel);
        relayOnLoop(a, b, tunnel);
        return tunnel;
    }

    private static boolean isSame(Connection a, Connection b) {
        if (a instanceof SocketConnection one && b instanceof SocketConnection other) {
            return one.sharesChannelWith(other);
        }
        return a == b;
    }

    /** Detaches either both connections from their user or neither. */
    private static void detachBoth(Connection a, Connection b) throws ClosedChannelException {
        if (a instanceof Transferable own) {
            own.detach();
        }
        try {
            if (b instanceof Transferable own) {
                own.detach();
            }
        } catch (ClosedChannelException | IllegalStateException e) {
            if (a instanceof Transferable own) {
                own.reattach();
            }
            throw e;
        }
    }

    private static Connection detached(Connection connection) {
        return connection instanceof Transferable own ? own.detached() : connection;
    }

    private static void abort(Connection a, Connection b) {
        a.abort();
        b.abort();
    }

    private void relayOnLoop(Connection a, Connection b, TunnelHandle tunnel) {
        EventLoop loop = loops.next();
        try {
            HandOff one = HandOff.of(a, workers);
            HandOff other = HandOff.of(b, workers);
            loop.execute(
                    () -> Relay.start(one.onLoop(loop), other.onLoop(loop), IDLENESS, tunnel, null, null, null, 0));
        } catch (IOException e) {
            abort(detached(a), detached(b));
            tunnel.ended(CloseReason.FAILED, e, 0, 0);
        } catch (RejectedExecutionException e) {
            abort(detached(a), detached(b));
            tunnel.ended(CloseReason.CLOSED, null, 0, 0);
        }
    }

    /** Ends every relay that is running. */
    public void close() {
        running.forEach(TunnelHandle::close);
    }
}
