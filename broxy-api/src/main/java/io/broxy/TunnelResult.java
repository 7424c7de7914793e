package io.broxy;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a tunnel ended.
 *
 * <p>For a request that switched protocols, the heads of the request and of the response count as well, as they were
 * sent. Such a request has no {@link ExchangeResult}, so the bytes of all tunnels and exchanges add up to those of
 * {@link ProxyStats}.
 *
 * <p>Threading: immutable.
 *
 * @param target the target, or null if the client's head never came or named none
 * @param identity the client's identity as {@link ConnectRequest#identity()} or the {@link Authenticator} gives it, or
 *     null if there is none
 * @param bytesToOrigin bytes of the client's stream that were passed to the origin
 * @param bytesToClient bytes of the origin's stream that were passed to the client; the proxy's own response does not
 *     count
 * @param duration from the hand-over of the client's connection to the end
 * @param reason why the tunnel ended
 * @param cause the failure behind the reason, or null if there is none
 */
public record TunnelResult(
        @Nullable HostPort target,
        @Nullable String identity,
        long bytesToOrigin,
        long bytesToClient,
        Duration duration,
        CloseReason reason,
        @Nullable Throwable cause) {

    /** Checks for null. */
    public TunnelResult {
        Objects.requireNonNull(duration, "duration");
        Objects.requireNonNull(reason, "reason");
    }
}
