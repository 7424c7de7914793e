package io.broxy.examples;

import io.broxy.ClientHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;

/**
 * The listening socket that a service manager has passed as standard input. It passes it to the next process as well, with the
 * clients that wait in its queue.
 *
 * <p>Threading: immutable.
 */
record ListenInherited() implements ListenPoint {
    static final String WORD = "inherited";

    @Override
    public ProxyServer open(Broxy broxy, ClientHandler handler) throws IOException {
        Channel channel = System.inheritedChannel();
        if (channel instanceof ServerSocketChannel listening) {
            return broxy.listen(listening, handler);
        }
        throw new IOException(
                "--listen inherited needs a listening socket as standard input, as a service manager passes it"
                        + (channel == null ? "; there is no socket" : "; there is another kind of socket"));
    }

    /** The word for it on the command line. */
    @Override
    public String toString() {
        return WORD;
    }
}
