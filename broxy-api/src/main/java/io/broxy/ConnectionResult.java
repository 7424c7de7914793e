package io.broxy;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a client's connection ended. Implemented by Broxy only.
 *
 * <p>Threading: immutable.
 */
public interface ConnectionResult {

    /** From the hand-over of the connection to its end. */
    Duration duration();

    /** Why it ended. */
    CloseReason reason();

    /** The tunnel that the connection became, or null when it never became one. */
    @Nullable
    TunnelResult tunnel();

    /**
     * How many requests were forwarded or given to an {@link LocalRequestHandler}, before it became a tunnel or ended; those
     * without a response are among them.
     */
    long exchanges();

    /** The failure behind the reason, or null where there is none. */
    @Nullable
    Throwable cause();
}
