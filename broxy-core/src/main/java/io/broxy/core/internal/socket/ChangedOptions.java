package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the options of a connection were before its user has set them.
 *
 * <p>Threading: thread-safe.
 */
public final class ChangedOptions {
    private final Map<SocketOption<?>, Object> before = new LinkedHashMap<>();

    /** To be called before an option is set. */
    public synchronized void remember(Socket socket, SocketOption<?> option) throws IOException {
        if (!before.containsKey(option)) {
            before.put(option, ImplOptions.get(socket, option));
        }
    }

    /** Sets them as they were; false if that is not possible. */
    public synchronized boolean undo(Socket socket) throws IOException {
        if (before.containsKey(StandardSocketOptions.SO_SNDBUF)
                || before.containsKey(StandardSocketOptions.SO_RCVBUF)) {
            return false; // the system adapts only what was never set
        }
        for (Map.Entry<SocketOption<?>, Object> option : before.entrySet()) {
            ImplOptions.set(socket, option.getKey(), option.getValue());
        }
        before.clear();
        return true;
    }
}
