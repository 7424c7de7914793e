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
 * A connection on its way from a user, who has given it away, to a loop: on the loop itself where it has readiness, else
 * over a bridge.
 *
 * <p>Threading: for one thread at a time.
 */
public interface HandOff {

    /** The loop's own; called on the loop, once. */
    LoopConnection onLoop(EventLoop loop);

    /**
     * Prepares a connection; one of ours has been {@linkplain Transferable#give given} away before. This may run the code of
     * somebody else, and wait for a read that is under way, so it is nothing to be done on a loop.
     *
     * @throws IOException if it is closed; whatever is left to close is closed by closing it, or what is {@linkplain
     *     Transferable#given() given}
     */
    static HandOff of(Connection connection, Workers workers) throws IOException {
        if (connection instanceof Transferable own && own.hasReadiness()) {
            own.unblock();
            return own::onLoop;
        }
        Connection blocking = connection instanceof Transferable own ? own.given() : connection;
        try {
            if (!blocking.isOpen()) {
                throw new ClosedChannelException();
            }
            if (!blocking.readTimeout().isZero()) {
                blocking.readTimeout(Duration.ZERO); // its user's; a peer that is only silent must not be cut off
            }
            SocketAddress remote = blocking.remoteAddress();
            return loop -> new BridgedConnection(loop, blocking, remote, workers);
        } catch (RuntimeException e) {
            throw new IOException("the connection failed", e);
        }
    }

    /** Resets a connection, which may run its user's code. */
    static void abort(Connection connection) {
        try {
            connection.abort();
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(HandOff.class).warn("a dialer's connection failed to close", e);
        }
    }
}
