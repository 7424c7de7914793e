package io.broxy;

import java.nio.channels.SocketChannel;

/**
 * Serves the clients that a server accepts: the argument of {@code io.broxy.core.Broxy.listen}. A {@link ProxyHandler}
 * is one; a lambda can wrap it, for example to count or to filter clients.
 *
 * <p>Threading: implementations are thread-safe and must not block, because they are called on an event loop.
 */
@FunctionalInterface
public interface ClientHandler {

    /**
     * Takes a client over and returns at once. If it throws, the server logs the exception and closes the channel.
     *
     * @param client a connected channel; the handler owns and closes it from now on
     */
    void serve(SocketChannel client);
}
