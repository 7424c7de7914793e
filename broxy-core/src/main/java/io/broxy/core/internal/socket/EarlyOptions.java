package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketOption;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Options of a socket that has no connection yet. Each is tried on a new socket of the system, so that a value which no
 * socket takes is refused at once, and an option that was not set has the system's default.
 *
 * <p>Threading: for one thread at a time.
 */
final class EarlyOptions {
    /** In the order in which they were set. */
    private final Map<SocketOption<?>, Early> values;

    /** The value that was set, and the value that the system makes of it. Threading: immutable. */
    private record Early(Object asked, Object effective) {}

    /** Starts with none. */
    EarlyOptions() {
        values = new LinkedHashMap<>();
    }

    /** Starts with those of a factory. */
    EarlyOptions(EarlyOptions first) {
        values = new LinkedHashMap<>(first.values);
    }

    /** Notes a value. */
    void set(SocketOption<?> option, Object value) throws IOException {
        try (SocketChannel fresh = SocketChannel.open()) {
            ImplOptions.set(fresh.socket(), option, value);
            values.put(option, new Early(value, ImplOptions.get(fresh.socket(), option)));
        }
    }

    /** The value that was set, or else the default. */
    Object get(SocketOption<?> option) throws IOException {
        Early early = values.get(option);
        if (early != null) {
            return early.effective();
        }
        try (SocketChannel fresh = SocketChannel.open()) {
            return ImplOptions.get(fresh.socket(), option);
        }
    }

    /** The options that can be set. */
    Set<SocketOption<?>> supported() throws IOException {
        try (SocketChannel fresh = SocketChannel.open()) {
            return ImplOptions.supported(fresh.socket());
        }
    }

    /** Sets the noted values on a socket. */
    void applyTo(Socket socket) throws IOException {
        for (Map.Entry<SocketOption<?>, Early> option : values.entrySet()) {
            ImplOptions.set(socket, option.getKey(), option.getValue().asked());
        }
    }
}
