package io.broxy;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a client's connection ended.
 *
 * <p>Threading: immutable.
 *
 * @param duration from the hand-over of the connection to its end
 * @param reason why the connection ended
 * @param tunnel the tunnel that the connection became, or null if it never became one
 * @param exchanges how many requests were forwarded or given to a {@link LocalRequestHandler} before the connection
 *     became a tunnel or ended, those without a response included
 * @param cause the failure behind the reason, or null if there is none
 */
public record ConnectionResult(
        Duration duration,
        CloseReason reason,
        @Nullable TunnelResult tunnel,
        long exchanges,
        @Nullable Throwable cause) {

    /** Checks for null. */
    public ConnectionResult {
        Objects.requireNonNull(duration, "duration");
        Objects.requireNonNull(reason, "reason");
    }
}
