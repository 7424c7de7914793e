package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.core.internal.loop.LoopBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** What works on a {@link ClientConnection} at the moment. Threading: owned by its event loop. */
interface Step {
    /** Begins, if the connection {@linkplain ClientConnection#begin begins} with this step. */
    default void begin() {}

    /** The client's connection is ready; not called if the step has given it another handler. */
    default void ready(int readyOps) {}

    /** The {@linkplain ClientConnection#due deadline} has passed. */
    default void timedOut() {}

    /** The client's connection is about to be closed: releases whatever else the step holds. */
    default void stopped(CloseReason reason, @Nullable Throwable cause) {}

    /** Whether the client only might send another request, so that nothing is lost with its connection. */
    default boolean isIdle() {
        return false;
    }

    /**
     * Reads the client's bytes that are there, into the loop's shared buffer. Null if there are none now, or none any more, for
     * which the client is gone.
     */
    static @Nullable ByteBuffer receive(ClientConnection connection) {
        ByteBuffer buffer = connection.loop().buffers().shared().limit(LoopBuffers.HEAD_READ);
        try {
            int count = connection.client().read(buffer);
            if (count < 0) {
                connection.clientGone(null);
            }
            return count > 0 ? buffer.flip() : null;
        } catch (IOException e) {
            connection.clientGone(e);
            return null;
        }
    }
}
