package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/** Makes sockets that a {@link io.broxy.Dialer} connects. Threading: thread-safe. */
public final class DialingSocketFactory extends SocketFactory {
    private final SocketSettings settings;

    /** Creates a factory. */
    public DialingSocketFactory(SocketSettings settings) {
        this.settings = settings;
    }

    @Override
    public Socket createSocket() throws IOException {
        return DialedSocketImpl.socket(settings);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connect(createSocket(), InetSocketAddress.createUnresolved(host, port), null);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return connect(
                createSocket(),
                InetSocketAddress.createUnresolved(host, port),
                new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connect(createSocket(), new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return connect(
                createSocket(), new InetSocketAddress(address, port), new InetSocketAddress(localAddress, localPort));
    }

    /** Binds a new socket if a local address is given, and connects it; closes it if one of both fails. */
    static Socket connect(Socket socket, InetSocketAddress target, @Nullable InetSocketAddress local)
            throws IOException {
        try {
            if (local != null) {
                socket.bind(local);
            }
            socket.connect(target);
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }
}
