package io.broxy.core.internal.haproxy;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of the connection that a load balancer forwards. There are none if it does not know them or if the connection
 * is its own; then the addresses of the real connection count.
 *
 * <p>Threading: immutable.
 *
 * @param source the client's resolved address, or null if unknown
 * @param destination the address that the client connected to; null if and only if {@code source} is
 */
public record ProxyHeader(
        @Nullable InetSocketAddress source, @Nullable InetSocketAddress destination) {

    /** The header without addresses. */
    public static final ProxyHeader UNKNOWN = new ProxyHeader(null, null);

    /**
     * Requires both addresses or none.
     *
     * @throws IllegalArgumentException if only one is given, or one is unresolved
     */
    public ProxyHeader {
        if ((source == null) != (destination == null)) {
            throw new IllegalArgumentException("a header has both addresses or none");
        }
        if ((source != null && source.isUnresolved()) || (destination != null && destination.isUnresolved())) {
            throw new IllegalArgumentException("an address is not resolved");
        }
    }
}
