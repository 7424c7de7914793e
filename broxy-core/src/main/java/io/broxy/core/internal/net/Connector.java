package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.socket.SocketOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Connects sockets that are not NIO channels; a loop's poller is one where the loop has its own kind of sockets. */
public interface Connector {

    /** Whether a loop has its own kind of sockets. */
    static boolean isAt(EventLoop loop) {
        return loop.poller() instanceof Connector;
    }

    /**
     * Starts connecting. One of the consumers is called, on the loop, possibly before this returns.
     *
     * @param options set before the connect
     * @param localAddress what the socket is bound to, or null for the system's choice
     * @return cancels the attempt
     * @throws IOException if there is no socket, or it does not take the options or the local address
     */
    Runnable connect(
            EventLoop loop,
            InetSocketAddress address,
            SocketOptions options,
            @Nullable InetAddress localAddress,
            Consumer<LoopConnection> connected,
            Consumer<IOException> failed)
            throws IOException;
}
