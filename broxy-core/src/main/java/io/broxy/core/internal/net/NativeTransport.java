package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Poller;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sockets of the engine's own kind, in place of NIO channels: those of servers, their clients, and the connections that are dialed
 * for these clients. They have loops of their own, because these wait on something else than a selector.
 *
 * <p>Threading: thread-safe.
 */
public interface NativeTransport {

    /** A name for logs and statistics. */
    String name();

    /** Opens what one loop waits on; it is a {@link Connector}. */
    Poller openPoller() throws IOException;

    /**
     * Binds a server's socket.
     *
     * @param backlog the most connections waiting to be accepted
     */
    Bound bind(InetSocketAddress address, int backlog) throws IOException;

    /** A server's socket that is bound and listens. Threading: for one thread at a time. */
    interface Bound {
        /** The address, with the actual port. */
        InetSocketAddress localAddress();

        /**
         * Moves the socket to one of the transport's loops.
         *
         * @param accepted takes a client over, on the loop
         * @param closed runs on the loop when the socket is closed
         */
        Acceptor<?> onLoop(EventLoop loop, Consumer<AcceptedSocket> accepted, Runnable closed);

        /** Closes the socket, which no acceptor has begun to use. */
        void close();
    }

    /** What takes such clients; a handler that is served by its engine's {@link NativeTransport}. */
    interface Intake {
        /** The transport's loops in the engine of the handler; null if it has none. */
        @Nullable
        EventLoops transportLoops();

        /** Takes a client over. */
        void serve(AcceptedSocket client);
    }
}
