package io.broxy.core.internal.relay;

import io.broxy.CloseReason;

/**
 * The current activity on a client's connection: serving requests, relaying a tunnel, or writing the last response.
 *
 * <p>Threading: thread-safe.
 */
public interface Stage {

    /** Ends the tunnel asynchronously: both sides are reset. */
    void end(CloseReason reason);

    /** Ends the stage if it only waits for a further request, since no new work is accepted. */
    default void drain() {}

    /** The number of bytes sent to the origin so far. */
    default long bytesToOrigin() {
        return 0;
    }

    /** The number of bytes sent to the client so far. */
    default long bytesToClient() {
        return 0;
    }
}
