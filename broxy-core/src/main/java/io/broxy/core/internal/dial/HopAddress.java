package io.broxy.core.internal.dial;

import java.net.SocketAddress;

/**
 * Names a hop where an exception asks for an address: the attempt was at a hop of a routing dialer, not at an address.
 *
 * <p>Threading: immutable.
 */
final class HopAddress extends SocketAddress {
    private static final long serialVersionUID = 1L;

    private final String name;

    HopAddress(String name) {
        this.name = name;
    }

    /** The hop's name. */
    @Override
    public String toString() {
        return name;
    }
}
