package io.broxy.core.internal.relay;

import io.broxy.CloseReason;

/** Who works on a tunnel at the moment: whoever reads its request, dials for it, refuses it or relays it. */
public interface Stage {

    /** Ends the tunnel now: both sides are reset. Thread-safe; returns before it is done. */
    void end(CloseReason reason);

    /** Ends it if it only waits for work that may never come, since no new work is taken any more. Thread-safe. */
    default void drain() {}

    /** Bytes passed to the origin so far. Thread-safe. */
    default long bytesToOrigin() {
        return 0;
    }

    /** Bytes passed to the client so far. Thread-safe. */
    default long bytesToClient() {
        return 0;
    }
}
