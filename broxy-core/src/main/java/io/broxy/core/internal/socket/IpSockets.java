package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * New sockets, of the family IPv4 for an IPv4 address. The JDK's own choice is a socket for both families, which reaches IPv4
 * through mapped addresses (RFC 4291 section 2.5.5.2): that takes one more option to set, and a detour in the kernel at each
 * connect and each query of an address.
 *
 * <p>Threading: stateless.
 */
public final class IpSockets {
    private IpSockets() {}

    /** Opens a blocking socket that can connect to that address. */
    public static SocketChannel openFor(InetAddress target) throws IOException {
        return target instanceof Inet4Address ? SocketChannel.open(StandardProtocolFamily.INET) : SocketChannel.open();
    }

    /** Opens a server socket that can be bound to that address; bound to a wildcard it takes clients of both families. */
    public static ServerSocketChannel serverFor(InetSocketAddress local) throws IOException {
        return local.getAddress() instanceof Inet4Address ip && !ip.isAnyLocalAddress()
                ? ServerSocketChannel.open(StandardProtocolFamily.INET)
                : ServerSocketChannel.open();
    }
}
