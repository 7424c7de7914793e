package io.broxy;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a request ended that was forwarded, or answered by a {@link LocalRequestHandler}.
 *
 * <p>Threading: immutable.
 *
 * @param status the status that the client received, from the origin or from the proxy itself; 0 if there was no
 *     response
 * @param bytesToOrigin bytes that were sent to the origin, the head included
 * @param bytesToClient bytes of the origin's response that were sent to the client, the head included; the proxy's own
 *     responses do not count
 * @param duration from the end of the request's head to the end
 * @param reason why it ended: {@link CloseReason#FINISHED} if the whole response was passed on, or if the proxy itself
 *     had to answer ({@code Max-Forwards: 0}, and requests to the proxy itself). {@link CloseReason#FAILED} also if a
 *     {@link LocalRequestHandler} gave no response in time, or none at all
 * @param cause the failure behind the reason, or null if there is none; for a {@link LocalRequestHandler}, the
 *     exception that it threw, or a {@link java.util.concurrent.TimeoutException}
 */
public record ExchangeResult(
        int status,
        long bytesToOrigin,
        long bytesToClient,
        Duration duration,
        CloseReason reason,
        @Nullable Throwable cause) {

    /** Checks for null. */
    public ExchangeResult {
        Objects.requireNonNull(duration, "duration");
        Objects.requireNonNull(reason, "reason");
    }
}
