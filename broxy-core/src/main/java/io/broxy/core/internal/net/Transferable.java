package io.broxy.core.internal.net;

import io.broxy.Connection;
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
}
