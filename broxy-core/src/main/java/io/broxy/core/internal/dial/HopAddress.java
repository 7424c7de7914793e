package io.broxy.core.internal.dial;

import java.net.SocketAddress;

/**
 * Stands for a hop where an address is wanted: what was tried was a way and not an address.
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
