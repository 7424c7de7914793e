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
    private final Map<SocketOption<?>, Early> values = new LinkedHashMap<>();

    /** The value that was set, and the value that the system makes of it. Threading: immutable. */
    private record Early(Object asked, Object effective) {}

    /** A use of a new socket. Threading: for one thread. */
    private interface Trial<T> {
        T on(Socket socket) throws IOException;
    }

    /** Notes a value. */
    void set(SocketOption<?> option, Object value) throws IOException {
        Object effective = onNew(socket -> {
            ImplOptions.set(socket, option, value);
            return ImplOptions.get(socket, option);
        });
        values.put(option, new Early(value, effective));
    }

    /** The value that was set, or else the default. */
    Object get(SocketOption<?> option) throws IOException {
        Early early = values.get(option);
        return early != null ? early.effective() : onNew(socket -> ImplOptions.get(socket, option));
    }

    /** The options that can be set. */
    Set<SocketOption<?>> supported() throws IOException {
        return onNew(ImplOptions::supported);
    }

    /** Sets the noted values on a socket. */
    void applyTo(Socket socket) throws IOException {
        for (Map.Entry<SocketOption<?>, Early> option : values.entrySet()) {
            ImplOptions.set(socket, option.getKey(), option.getValue().asked());
        }
    }

    private static <T> T onNew(Trial<T> trial) throws IOException {
        try (SocketChannel fresh = SocketChannel.open()) {
            return trial.on(fresh.socket());
        }
    }
}
