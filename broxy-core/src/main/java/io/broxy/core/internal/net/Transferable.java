package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/**
 * A connection of ours, whose user can be made to lose it.
 *
 * <p>Threading: thread-safe.
 */
public interface Transferable extends Connection {

    /**
     * Ends the user's ownership; closing is for the new owner from then on.
     *
     * @throws IllegalStateException if it was given away before
     * @throws ClosedChannelException if it is closed
     */
    void give() throws ClosedChannelException;

    /** Undoes {@link #give}. */
    void takeBack();

    /** What was given away, as the new owner's connection. */
    Connection given();

    /**
     * Puts bytes back that were read too far, such as those behind a proxy's reply: they are copied, and are what the next
     * reads give first. To be done before {@link #asSocket}, for the socket must know of them.
     */
    void unread(ByteBuffer bytes);

    /**
     * Undoes what its user has set, of what was given away.
     *
     * @return whether it is as new: its options are what they were, and neither direction has ended
     */
    boolean renew();

    /** Whether an event loop can drive it; if not, it takes threads. */
    boolean hasReadiness();

    /**
     * Prepares what was given away, and has readiness, for a loop: nothing blocks from then on. This itself may wait for a
     * read that is under way, so it is nothing to be done on a loop.
     *
     * @throws IOException if the connection is closed; whatever is left to close is closed by closing what is {@link #given}
     */
    void unblock() throws IOException;

    /** What was given away and prepared, as a loop's own; called on the loop, once. */
    LoopConnection onLoop(EventLoop loop);
}
