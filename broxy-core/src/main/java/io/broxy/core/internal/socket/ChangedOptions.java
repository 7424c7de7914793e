package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The options of a connection as they were before its user set them.
 *
 * <p>Threading: thread-safe.
 */
public final class ChangedOptions {
    private final Map<SocketOption<?>, Object> before = new LinkedHashMap<>();

    /** Notes the value of an option that is about to be set. */
    public synchronized void remember(Socket socket, SocketOption<?> option) throws IOException {
        if (!before.containsKey(option)) {
            before.put(option, ImplOptions.get(socket, option));
        }
    }

    /** Restores the options; false if that is not possible. */
    public synchronized boolean undo(Socket socket) throws IOException {
        if (before.containsKey(StandardSocketOptions.SO_SNDBUF)
                || before.containsKey(StandardSocketOptions.SO_RCVBUF)) {
            return false; // the system adapts only buffers whose size was never set
        }
        for (Map.Entry<SocketOption<?>, Object> option : before.entrySet()) {
            ImplOptions.set(socket, option.getKey(), option.getValue());
        }
        before.clear();
        return true;
    }
}
