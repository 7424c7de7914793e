package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.EventLoop;
import java.net.InetSocketAddress;

/**
 * A client's socket of a {@link NativeTransport} that no loop owns yet.
 *
 * <p>Threading: for one thread at a time.
 */
public interface AcceptedSocket extends AutoCloseable {

    /** The client's address. */
    InetSocketAddress remoteAddress();

    /** Moves the socket to one of the transport's loops; called on the loop, once. */
    LoopConnection onLoop(EventLoop loop);

    @Override
    void close();
}
