package io.broxy.core.internal.dial;

import io.broxy.DialRequest;
import io.broxy.core.internal.upstream.LoopDialer;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Whose share of the look-ups one counts for: that of an IPv4 address, or of an IPv6 {@code /64}, as clients' connections
 * are counted.
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

    /** That of the client for whom a dial is made, whether its request names it or not; null for none. */
    static @Nullable LookUpShare of(DialRequest request, LoopDialer.Outcome outcome) {
        InetAddress client = outcome.forClient();
        return client != null ? of(client) : of(request);
    }
}
