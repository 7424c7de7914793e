package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.ConnectionRecorder;
import io.broxy.core.internal.relay.TunnelHandle;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A client on its loop, as one stage of serving it passes it to the next.
 *
 * @param source the client's address if it is not that of its connection, or null
 * @param rates that limit what goes over, or null
 * @param destination what the client has connected to, told by whoever has told the source
 * <p>Threading: owned by the client's event loop, but for {@link #onLoop}.
 */
record ClientConnection(
        DefaultProxyHandler handler,
        TunnelHandle tunnel,
        LoopConnection client,
        @Nullable InetSocketAddress source,
        @Nullable InetSocketAddress destination,
        @Nullable ConnectionRates rates) {

    /** A client whose address is that of its connection. */
    ClientConnection(DefaultProxyHandler handler, TunnelHandle tunnel, LoopConnection client) {
        this(handler, tunnel, client, null, null, null);
    }

    /** The same client, with limits on what goes over; null for none. */
    ClientConnection limited(@Nullable ConnectionRates limits) {
        return limits == null ? this : new ClientConnection(handler, tunnel, client, source, destination, limits);
    }

    /** A request of its is let in: what it relays counts for this user, or for nobody in particular. */
    void identified(@Nullable String identity) {
        if (rates != null) {
            rates.identified(identity);
        }
    }

    /** The same client, whose connection somebody has passed on who has told its addresses. */
    ClientConnection of(@Nullable InetSocketAddress source, @Nullable InetSocketAddress destination) {
        return new ClientConnection(handler, tunnel, client, source, destination, rates);
    }

    EventLoop loop() {
        return client.loop();
    }

    /** The client's address, or null if it has none. */
    @Nullable
    InetAddress clientAddress() {
        InetSocketAddress told = source;
        if (told != null) {
            return told.getAddress();
        }
        try {
            return client.remoteAddress() instanceof InetSocketAddress internet ? internet.getAddress() : null;
        } catch (UncheckedIOException e) {
            return null; // it is closed, which its session finds out
        }
    }

    /** For whom its targets are dialled; null if that is not known. */
    DialRequest.@Nullable Client dialsFor() {
        SocketAddress from = source == null ? client.peer() : source;
        SocketAddress to = destination == null ? client.localAddress() : destination;
        return from == null || to == null ? null : new DialRequest.Client(from, to);
    }

    /** What follows the client, which somebody may have begun to watch a moment ago. */
    ConnectionRecorder visit() {
        ConnectionRecorder visit = handler.visit(tunnel);
        if (visit.isOn()) {
            visit.opened(source == null ? client.peer() : source);
        }
        return visit;
    }

    /** Records the end of a client that is closed by now, and of which no relay has taken care. */
    void over(CloseReason reason, @Nullable Throwable cause) {
        client.whenClosed(() -> tunnel.ended(reason, cause, 0, 0));
    }

    /** Runs a task on the loop, at once if it is the caller's. If the loop has stopped, it has abandoned the client by that. */
    void onLoop(Runnable task) {
        if (loop().inLoop()) {
            task.run();
            return;
        }
        try {
            loop().execute(task);
        } catch (RejectedExecutionException e) {
            // The client is abandoned.
        }
    }

    /** For a failure that nobody above would pass on to whoever serves the client by now. */
    void logFailure(Throwable failure) {
        DefaultProxyHandler.log.error("a session failed; its connection is closed", failure);
    }

    /** The reason of an end that comes from the loop's own. */
    CloseReason reasonOfAbandon() {
        return loop().isStopping() ? CloseReason.CLOSED : CloseReason.FAILED;
    }
}
