package io.broxy;

import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * A {@link ProxyHandler} as clients with TLS reach it; {@link ProxyHandler#overTls} makes one. It shares everything with
 * its handler: settings, limits, counters, listener, and the end. The handshake runs on the client's event loop.
 *
 * <p>Passing a channel that is registered with a selector is misuse, as with the handler. Broxy implements this
 * interface, and may add methods to it.
 *
 * <p>Threading: thread-safe.
 */
public interface TlsFrontend extends ClientHandler {

    /** As {@link ProxyHandler#handle(SocketChannel)}, behind a TLS handshake. */
    ClientHandle handle(SocketChannel client);

    /** As {@link ProxyHandler#handle(SocketChannel, ByteBuffer)}, behind a TLS handshake whose first bytes may be read. */
    ClientHandle handle(SocketChannel client, ByteBuffer alreadyRead);

    /** As {@link ProxyHandler#handle(Socket)}, behind a TLS handshake. */
    ClientHandle handle(Socket client);

    /** As {@link ProxyHandler#handleConnect(SocketChannel)}, behind a TLS handshake. */
    Tunnel handleConnect(SocketChannel client);

    /** Does the same as {@link #handle(SocketChannel)}, for a server that needs no handle. */
    @Override
    default void serve(SocketChannel client) {
        handle(client);
    }
}
