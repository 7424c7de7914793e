package io.broxy.core.internal.upstream;

import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A dialer that works on event loops: a tunnel's two connections live on one loop without a hand-over.
 *
 * <p>Threading: thread-safe; {@link #dial} and everything that comes of it runs on the given loop.
 */
public interface LoopDialer {

    /**
     * Begins a dial.
     *
     * @param client for whose share of the look-ups the dial counts although its request does not name the client, as for a
     *     connection that is pooled later; null for none, or for the client that the request names
     * @param completion gets the connection, possibly before this method returns
     */
    DialHandle dial(
            EventLoop loop, DialRequest request, @Nullable InetAddress client, Completion<LoopConnection> completion);
}
