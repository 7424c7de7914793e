package io.broxy.core.internal.relay;

import io.broxy.CloseReason;

/**
 * What works on a client's connection at the moment: serves its requests, relays its tunnel, or writes its last response.
 *
 * <p>Threading: thread-safe.
 */
public interface Stage {

    /** Ends the tunnel now: both sides are reset. Returns before it is done. */
    void end(CloseReason reason);

    /** Ends it if it only waits for work that may never come, since no new work is accepted. */
    default void drain() {}

    /** Bytes passed to the origin so far. */
    default long bytesToOrigin() {
        return 0;
    }

    /** Bytes passed to the client so far. */
    default long bytesToClient() {
        return 0;
    }
}
