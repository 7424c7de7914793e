package io.broxy.core.internal.net;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * The unit that counts as one client: an IPv4 address, or the {@code /64} network of an IPv6 address, the usual allocation for
 * one customer.
 *
 * @param bits the significant bits of the address
 * <p>Threading: immutable.
 */
public record ClientNetwork(long bits, boolean ipv6) {

    /** The client of an address. */
    public static ClientNetwork of(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        return address instanceof Inet6Address
                ? new ClientNetwork(bytes.getLong(), true)
                : new ClientNetwork(bytes.getInt(), false);
    }
}
