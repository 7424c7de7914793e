package io.broxy;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a request ended that was forwarded, or was answered by an {@link LocalRequestHandler}. Implemented by Broxy only.
 *
 * <p>Threading: immutable.
 */
public interface ExchangeResult {

    /** The status of the response that the client was sent, the origin's or the proxy's own; 0 if there was none. */
    int status();

    /** Bytes that the origin was sent, the head included. */
    long bytesToOrigin();

    /** Bytes of the origin's that the client was sent, the head included; a response of the proxy's own does not count. */
    long bytesToClient();

    /** From the end of the request's head to the end. */
    Duration duration();

    /**
     * Why it ended: {@link CloseReason#FINISHED} when the whole response was passed on, and when the proxy has answered by
     * itself what asks for that ({@code Max-Forwards: 0}, and requests to the proxy itself). {@link CloseReason#FAILED} also
     * when an {@link LocalRequestHandler} gave no answer in time, or none at all.
     */
    CloseReason reason();

    /**
     * The failure behind the reason, or null where there is none: of an {@link LocalRequestHandler} what it has thrown, or a
     * {@link java.util.concurrent.TimeoutException}.
     */
    @Nullable
    Throwable cause();
}
