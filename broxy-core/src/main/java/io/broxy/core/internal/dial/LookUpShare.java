package io.broxy.core.internal.dial;

import io.broxy.DialRequest;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The client that a look-up counts for: an IPv4 address, or an IPv6 {@code /64}, as for the counts of clients'
 * connections.
 *
 * @param bits those of the address that count
 * <p>Threading: immutable.
 */
record LookUpShare(long bits, boolean ipv6) {

    private static LookUpShare of(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        return address instanceof Inet6Address
                ? new LookUpShare(bytes.getLong(), true)
                : new LookUpShare(bytes.getInt(), false);
    }

    /** That of the client that a request names, or null for none. */
    static @Nullable LookUpShare of(DialRequest request) {
        DialRequest.Client client = request.client();
        return client != null && client.source() instanceof InetSocketAddress source && source.getAddress() != null
                ? of(source.getAddress())
                : null;
    }

    /** That of the client for which a dial is made, whether its request names the client or not; null for none. */
    static @Nullable LookUpShare of(Dial dial) {
        InetAddress client = dial.client();
        return client != null ? of(client) : of(dial.request());
    }
}
