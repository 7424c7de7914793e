package io.broxy.core.internal.dial;

import io.broxy.ProxyReply;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What is said to a proxy before it opens a tunnel to a target: bytes in, bytes out, and no I/O, so that one conversation
 * serves event loops and callers' threads alike. A handshake is used once.
 *
 * <p>Threading: for one thread at a time.
 */
interface Handshake {

    /** What to do next. */
    enum Step {
        /** Send {@link #output}, then read. */
        SEND,
        /** Read. */
        READ,
        /** The tunnel is open. What is left in the buffer comes from the target. */
        DONE
    }

    /** What to send, at the beginning and after each {@link Step#SEND}. */
    ByteBuffer output();

    /**
     * Reads on. All of the buffer is taken unless the handshake is done.
     *
     * @throws HandshakeException if the proxy refuses, or breaks its protocol
     */
    Step feed(ByteBuffer in) throws HandshakeException;

    /** The answer as far as it has come when no more will, because the connection or the time is over; null for none. */
    @Nullable
    HandshakeException refusalSoFar();

    /** What an HTTP proxy has answered once the handshake is {@link Step#DONE}; null for other proxies. */
    default @Nullable ProxyReply acceptance() {
        return null;
    }

    /**
     * Whether the proxy has said something that is its protocol. If not, it may never have seen what was sent; and bytes that
     * have come all the same are none of its answer.
     */
    boolean answered();
}
