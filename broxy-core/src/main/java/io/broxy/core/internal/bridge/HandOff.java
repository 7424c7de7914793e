package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Transferable;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.slf4j.LoggerFactory;

/**
 * A connection on its way from a user to a loop: it is driven by the loop itself where it has readiness, else over a bridge.
 *
 * <p>Threading: for one thread at a time.
 */
public interface HandOff {

    /** Makes it the loop's own; called on the loop, once. */
    LoopConnection onLoop(EventLoop loop);

    /**
     * Prepares a connection; one of ours has been {@linkplain Transferable#detach detached} before. This may run another
     * author's code, and wait for a read that is under way, so it must not be called on a loop.
     *
     * @throws IOException if it is closed; the caller still closes it, or what is {@linkplain Transferable#detached detached}
     */
    static HandOff of(Connection connection, Workers workers) throws IOException {
        if (connection instanceof Transferable own && own.hasReadiness()) {
            own.unblock();
            return own::onLoop;
        }
        Connection blocking = connection instanceof Transferable own ? own.detached() : connection;
        try {
            if (!blocking.isOpen()) {
                throw new ClosedChannelException();
            }
            if (!blocking.readTimeout().isZero()) {
                blocking.readTimeout(Duration.ZERO); // the user's timeout must not cut off a peer that is only silent
            }
            SocketAddress remote = blocking.remoteAddress();
            return loop -> new BridgedConnection(loop, blocking, remote, workers);
        } catch (RuntimeException e) {
            throw new IOException("the connection failed", e);
        }
    }

    /** Resets a connection, which may run another author's code. */
    static void abort(Connection connection) {
        try {
            connection.abort();
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(HandOff.class).warn("a dialer's connection failed to close", e);
        }
    }
}
