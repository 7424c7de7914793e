package io.broxy.core.internal.epoll;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.UnsupportedAddressTypeException;

/** Internet addresses as {@code struct sockaddr_in} and {@code sockaddr_in6}, in a buffer of native byte order. */
final class SocketAddresses {
    /** Room for either. */
    static final int MAX_BYTES = 28;

    private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

    private SocketAddresses() {}

    /** Puts an address at the start of a buffer, for a socket of its own family; returns its length. */
    static int put(ByteBuffer into, InetSocketAddress address) {
        return put(into, address, address.getAddress() instanceof Inet4Address);
    }

    /**
     * As the other method, for a socket of either family; an address of IPv4 is mapped for a socket of IPv6 (RFC 4291 section
     * 2.5.5.2), and the wildcard of IPv4 becomes the one of both.
     */
    static int put(ByteBuffer into, InetSocketAddress address, boolean v4) {
        InetAddress host = address.getAddress();
        if (v4 && !(host instanceof Inet4Address)) {
            throw new UnsupportedAddressTypeException(); // as a channel's
        }
        into.clear();
        into.putShort((short) (v4 ? Libc.AF_INET : Libc.AF_INET6));
        into.putShort(networkOrder(address.getPort()));
        if (v4) {
            into.put(host.getAddress()).putLong(0);
        } else {
            into.putInt(0);
            if (host instanceof Inet6Address v6) {
                into.put(v6.getAddress()).putInt(v6.getScopeId());
            } else {
                into.putLong(0)
                        .putShort((short) 0)
                        .putShort((short) (host.isAnyLocalAddress() ? 0 : -1))
                        .put(host.getAddress())
                        .putInt(0);
            }
        }
        return into.position();
    }

    /** Reads an address. */
    static InetSocketAddress get(ByteBuffer from) {
        int port = Short.toUnsignedInt(networkOrder(Short.toUnsignedInt(from.getShort(2))));
        try {
            if (from.getShort(0) == Libc.AF_INET) {
                byte[] bytes = new byte[4];
                from.get(4, bytes);
                return new InetSocketAddress(InetAddress.getByAddress(bytes), port);
            }
            byte[] bytes = new byte[16];
            from.get(8, bytes);
            int scope = from.getInt(24);
            InetAddress host =
                    scope == 0 ? InetAddress.getByAddress(bytes) : Inet6Address.getByAddress(null, bytes, scope);
            return new InetSocketAddress(host, port);
        } catch (UnknownHostException e) {
            throw new AssertionError("an address has 4 or 16 bytes", e);
        }
    }

    private static short networkOrder(int port) {
        return LITTLE ? Short.reverseBytes((short) port) : (short) port;
    }
}
