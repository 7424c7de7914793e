package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/**
 * One of Broxy's own connections, which can be detached from its user and passed on to another owner.
 *
 * <p>Threading: thread-safe.
 */
public interface Transferable extends Connection {

    /**
     * Ends the user's ownership: the user's calls fail from then on, and only the new owner closes the connection.
     *
     * @throws IllegalStateException if it is already detached
     * @throws ClosedChannelException if it is closed
     */
    void detach() throws ClosedChannelException;

    /** Undoes {@link #detach}. */
    void reattach();

    /** The connection for the new owner of a detached one. */
    Connection detached();

    /**
     * Pushes back bytes that were read ahead, such as those after a proxy's reply. They are copied, and the next reads return
     * them first. Must be called before {@link #asSocket}, whose socket must see them, too.
     */
    void unread(ByteBuffer bytes);

    /**
     * Undoes the user's changes to a detached connection.
     *
     * @return whether the connection is as good as new: its options are restored, and neither direction has ended
     */
    boolean renew();

    /** Whether an event loop can drive the connection; otherwise it needs threads. */
    default boolean hasReadiness() {
        return false;
    }

    /**
     * Prepares a detached connection that has readiness for a loop: no call blocks from then on. This call may wait for a read
     * in progress, so it must not be made on a loop.
     *
     * @throws IOException if the connection is closed; the caller still closes the {@link #detached} connection
     */
    default void unblock() throws IOException {
        throw new UnsupportedOperationException("a connection without readiness always blocks");
    }

    /** Moves a detached and prepared connection to a loop; called on the loop, once. */
    default LoopConnection onLoop(EventLoop loop) {
        throw new UnsupportedOperationException("the connection has no readiness");
    }
}
