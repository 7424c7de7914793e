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
 * The transfer of a connection from a user to a loop, which drives it directly if it has readiness, otherwise through a bridge.
 *
 * <p>Threading: for one thread at a time.
 */
public interface HandOff {

    /** Moves the connection to the loop; called on the loop, once. */
    LoopConnection onLoop(EventLoop loop);

    /**
     * Prepares a connection; one of Broxy's own must already be {@linkplain Transferable#detach detached}. This may run
     * third-party code and wait for a read in progress, so it must not be called on a loop.
     *
     * @throws IOException if the connection is closed; the caller still closes it or its {@linkplain Transferable#detached
     *     detached} form
     */
    static HandOff of(Connection connection, Workers workers) throws IOException {
        if (connection instanceof Transferable transferable && transferable.hasReadiness()) {
            transferable.unblock();
            return transferable::onLoop;
        }
        Connection blocking = connection instanceof Transferable transferable ? transferable.detached() : connection;
        try {
            if (!blocking.isOpen()) {
                throw new ClosedChannelException();
            }
            if (!blocking.readTimeout().isZero()) {
                blocking.readTimeout(
                        Duration.ZERO); // the user's timeout must not disconnect a peer that is merely silent
            }
            SocketAddress remote = blocking.remoteAddress();
            return loop -> new BridgedConnection(loop, blocking, remote, workers);
        } catch (RuntimeException e) {
            throw new IOException("the connection failed", e);
        }
    }

    /** Resets a connection, which may run third-party code. */
    static void abort(Connection connection) {
        try {
            connection.abort();
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(HandOff.class).warn("a dialer's connection failed to close", e);
        }
    }
}
