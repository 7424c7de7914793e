package io.broxy.core.internal.dial;

import io.broxy.core.internal.socket.IpSockets;
import io.broxy.core.internal.socket.SocketOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * Sockets of one dialer, ready to connect.
 *
 * @param options set on each
 * @param localAddress where each is bound to, or null for the system's choice
 * <p>Threading: immutable.
 */
record NewSockets(SocketOptions options, @Nullable InetAddress localAddress) {

    /** Opens one, blocking, for a connect to that address, which {@linkplain #fits fits}. */
    SocketChannel open(InetAddress target) throws IOException {
        SocketChannel channel = IpSockets.openFor(target);
        try {
            options.applyTo(channel);
            if (localAddress != null) {
                channel.bind(new InetSocketAddress(localAddress, 0));
            }
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Whether a socket bound to the local address can reach an address at all. */
    boolean fits(InetAddress address) {
        return localAddress == null || localAddress.getClass() == address.getClass();
    }

    /** Why an address that does not fit is not tried. */
    IOException misfit() {
        return new NoRouteToHostException("no address of the local address's family, which is " + localAddress);
    }
}
