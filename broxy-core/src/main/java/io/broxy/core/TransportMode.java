package io.broxy.core;

import io.broxy.EngineStats;

/**
 * Which sockets an engine uses for the clients of its {@linkplain Broxy#listen servers} and for the connections that handlers dial
 * for them. Sockets that users bring, and connections that they dial, are NIO channels in either mode. {@link EngineStats#transport}
 * tells what an engine uses.
 */
public enum TransportMode {
    /**
     * Sockets of the engine's own where they are possible: {@code epoll}, and {@code splice}, by which the kernel relays bulk without
     * copying it. They take Linux, Java 22 or newer, and a JVM whose option {@code --enable-native-access} names Broxy's module, or
     * {@code ALL-UNNAMED} for the class path. Otherwise NIO; a message at DEBUG says what is missing.
     */
    AUTO,
    /** NIO channels only. */
    NIO
}
