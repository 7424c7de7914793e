package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/**
 * A connection of ours, which can be detached from its user and passed on to another owner.
 *
 * <p>Threading: thread-safe.
 */
public interface Transferable extends Connection {

    /**
     * Ends the user's ownership: the user's calls fail from then on, and only the new owner closes the connection.
     *
     * @throws IllegalStateException if it has been detached before
     * @throws ClosedChannelException if it is closed
     */
    void detach() throws ClosedChannelException;

    /** Undoes {@link #detach}. */
    void reattach();

    /** The detached connection, as its new owner's. */
    Connection detached();

    /**
     * Puts bytes back that were read too far, such as those behind a proxy's reply: they are copied, and are what the next
     * reads give first. Called before {@link #asSocket}, whose socket must know of them.
     */
    void unread(ByteBuffer bytes);

    /**
     * Undoes the user's changes to a detached connection.
     *
     * @return whether it is as new: its options are what they were, and neither direction has ended
     */
    boolean renew();

    /** Whether an event loop can drive it; if not, it takes threads. */
    default boolean hasReadiness() {
        return false;
    }

    /**
     * Prepares a detached connection that has readiness for a loop: no call blocks from then on. This itself may wait for a
     * read that is under way, so it must not be called on a loop.
     *
     * @throws IOException if the connection is closed; the caller still closes what is {@link #detached}
     */
    default void unblock() throws IOException {
        throw new UnsupportedOperationException("a connection without readiness always blocks");
    }

    /** Makes a detached and prepared connection a loop's own; called on the loop, once. */
    default LoopConnection onLoop(EventLoop loop) {
        throw new UnsupportedOperationException("the connection has no readiness");
    }
}
