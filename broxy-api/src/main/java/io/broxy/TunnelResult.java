package io.broxy;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a tunnel ended. Implemented by Broxy only.
 *
 * <p>Threading: immutable.
 */
public interface TunnelResult {

    /** The target, or null when the client's head never came or named none. */
    @Nullable
    HostPort target();

    /** The client's identity as given by {@link ConnectRequest#identity()}, or null when there is none. */
    @Nullable
    String identity();

    /** Bytes of the client's stream that were passed to the origin. */
    long bytesToOrigin();

    /** Bytes of the origin's stream that were passed to the client; the proxy's own answer does not count. */
    long bytesToClient();

    /** From the hand-over of the client's connection to the end. */
    Duration duration();

    /** Why it ended. */
    CloseReason reason();

    /** The failure behind the reason, or null where there is none. */
    @Nullable
    Throwable cause();
}
