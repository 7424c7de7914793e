package io.broxy;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a tunnel ended. Implemented by Broxy only.
 *
 * <p>Of a request that switched protocols the heads count too, its own and that of the origin's answer, as sent: such a request
 * has no {@link ExchangeResult}, so that the bytes of all tunnels and exchanges together are those of {@link ProxyStats}.
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
