package io.broxy;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A request was sent to its origin, or to the next proxy, and no response came that could be passed on. */
public final class OriginException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What was wrong with the response. */
    public enum Reason {
        /** The connection ended without a response. */
        NO_RESPONSE,
        /** The response violates HTTP/1.1 (RFC 9112), or its end cannot be determined. */
        INVALID_RESPONSE,
        /** The response did not come in time. */
        TIMEOUT,
        /** The next proxy asks for credentials (407), which concern this proxy and not the client. */
        PROXY_AUTH
    }

    private final Reason reason;
    private final HostPort target;

    /**
     * Creates a failure.
     *
     * @param target the target of the request
     * @param cause the failure that was seen, or null
     */
    public OriginException(Reason reason, HostPort target, @Nullable Throwable cause) {
        super(text(reason) + " for a request to " + target, cause);
        this.reason = Objects.requireNonNull(reason, "reason");
        this.target = Objects.requireNonNull(target, "target");
    }

    private static String text(Reason reason) {
        return switch (reason) {
            case NO_RESPONSE -> "no response";
            case INVALID_RESPONSE -> "no valid response";
            case TIMEOUT -> "no response in time";
            case PROXY_AUTH -> "the next proxy asked for credentials";
        };
    }

    /** What was wrong. */
    public Reason reason() {
        return reason;
    }

    /** The target of the request. */
    public HostPort target() {
        return target;
    }
}
