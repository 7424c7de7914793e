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
 * Where clients come in: a port, a Unix domain socket, or a socket of either kind that another process has opened.
 *
 * <p>Threading: immutable.
 */
sealed interface ListenPoint permits ListenAddress, ListenPath, ListenInherited {

    /**
     * Reads {@code HOST:PORT}, {@code unix:PATH}, {@code unix:PATH,mode=MODE} or {@code inherited}.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static ListenPoint parse(String text) {
        if (text.equals(ListenInherited.WORD)) {
            return new ListenInherited();
        }
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
