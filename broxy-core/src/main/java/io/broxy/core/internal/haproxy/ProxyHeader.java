package io.broxy.core.internal.haproxy;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The connection that a hop passes on. The hop may not know it, or the connection may be its own; then there are no
 * addresses, and those of the real connection count.
 *
 * <p>Threading: immutable.
 *
 * @param source the client's address, resolved, or null if it is not known
 * @param destination the address that the client connected to; null exactly when the source is
 */
public record ProxyHeader(
        @Nullable InetSocketAddress source, @Nullable InetSocketAddress destination) {

    /** The header that names no addresses. */
    public static final ProxyHeader UNKNOWN = new ProxyHeader(null, null);

    /**
     * Checks that there are both addresses or none.
     *
     * @throws IllegalArgumentException if there is one, or one is not resolved
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
