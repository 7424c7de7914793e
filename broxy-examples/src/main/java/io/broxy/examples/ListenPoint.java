package io.broxy.examples;

import io.broxy.ClientHandler;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

/**
 * Where clients come in: a port, or a Unix domain socket.
 *
 * <p>Threading: immutable.
 */
sealed interface ListenPoint permits ListenAddress, ListenPath {

    /**
     * Reads {@code HOST:PORT}, {@code unix:PATH} or {@code unix:PATH,mode=MODE}.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static ListenPoint parse(String text) {
        return text.startsWith(ListenPath.SCHEME) ? ListenPath.parse(text) : ListenAddress.parse(text);
    }

    /** Names where a server listens, as it is written on a command line. */
    static String text(SocketAddress address) {
        if (address instanceof UnixDomainSocketAddress unix) {
            return ListenPath.SCHEME + unix.getPath();
        }
        InetSocketAddress internet = (InetSocketAddress) address;
        return HostPort.of(internet.getAddress().getHostAddress(), internet.getPort())
                .toString();
    }

    /**
     * Listens, and passes the clients to the handler.
     *
     * @throws IOException if that is not possible here
     */
    ProxyServer open(Broxy broxy, ClientHandler handler) throws IOException;
}
