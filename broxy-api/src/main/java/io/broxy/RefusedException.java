package io.broxy;

import java.io.IOException;

/** A client's request was refused; nearly always before anything was dialled. Its message is safe to log and holds nothing of the client's bytes. */
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What was wrong with the request, or with the time it came. */
    public enum Reason {
        /** The request's head breaks HTTP/1.1 (RFC 9112). */
        BAD_REQUEST,
        /**
         * The hop in front, which has to say for whom it comes (see {@link ProxyHandler.Builder#proxyProtocol}), did not say it. It is
         * not answered.
         */
        PROXY_PROTOCOL,
        /** The request target is no {@code host:port} that can be dialled. */
        BAD_TARGET,
        /** A limit on the size of the head was passed. */
        HEAD_TOO_LARGE,
        /** The head did not come in time. */
        HEAD_TIMEOUT,
        /** The bytes of the request's body did not come in time. */
        BODY_TIMEOUT,
        /** The body of a request to the proxy itself is longer than {@link LocalRequest#MAX_BODY}. */
        BODY_TOO_LARGE,
        /** The request has been sent by this proxy, and has come back. */
        LOOP,
        /** The method or a feature that the request wants is not served. */
        NOT_IMPLEMENTED,
        /** The access policy does not allow it. */
        ACCESS_DENIED,
        /** The client has no valid credentials. */
        AUTHENTICATION_REQUIRED,
        /** There were so many wrong credentials from the client's address that it has to wait. */
        TOO_MANY_FAILURES,
        /** The authenticator failed, or did not answer in time. */
        AUTHENTICATION_FAILED,
        /** A cap on tunnels was reached. */
        LIMIT,
        /** The handler is draining or closed. */
        DRAINING
    }

    private final Reason reason;
    private final int status;

    /**
     * Creates a refusal.
     *
     * @param reason the kind
     * @param status the HTTP status sent to the client
     * @param message a fixed text
     */
    public RefusedException(Reason reason, int status, String message) {
        super(message);
        this.reason = reason;
        this.status = status;
    }

    /** The kind of refusal. */
    public Reason reason() {
        return reason;
    }

    /** The HTTP status that the client was sent. */
    public int status() {
        return status;
    }
}
