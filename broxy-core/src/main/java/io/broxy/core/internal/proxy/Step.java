package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
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
}
