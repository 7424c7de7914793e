package io.broxy;

import java.io.IOException;

/**
 * A client's request was refused, nearly always before a connection was dialed. The message is safe to log and contains
 * none of the client's bytes; for {@link Reason#FILTERED} it is the filter's text.
 */
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Why the request was refused. */
    public enum Reason {
        /** The request's head breaks HTTP/1.1 (RFC 9112). */
        BAD_REQUEST,
        /**
         * The load balancer in front, which must name the client (see {@link ProxyHandler.Builder#proxyProtocol}), sent
         * no valid header. The connection gets no response.
         */
        PROXY_PROTOCOL,
        /**
         * The client does not speak TLS where {@link ProxyHandler#overTls} needs it, or its handshake failed. Only a
         * plain HTTP request gets a response.
         */
        TLS,
        /** The request target is no {@code host:port} that can be dialed. */
        BAD_TARGET,
        /** The head exceeds a limit on its size. */
        HEAD_TOO_LARGE,
        /** The head did not come in time. */
        HEAD_TIMEOUT,
        /** The bytes of the request's body did not come in time. */
        BODY_TIMEOUT,
        /** The body of a request to the proxy itself is longer than {@link LocalRequest#MAX_BODY}. */
        BODY_TOO_LARGE,
        /** This proxy has sent the request, and it has come back. */
        LOOP,
        /** The method, or a feature that the request needs, is not supported. */
        NOT_IMPLEMENTED,
        /** The access policy does not admit the request. */
        ACCESS_DENIED,
        /** The client has no valid credentials. */
        AUTHENTICATION_REQUIRED,
        /** The client must wait, because there were too many wrong credentials from its network. */
        TOO_MANY_FAILURES,
        /** The authenticator failed, or did not answer in time. */
        AUTHENTICATION_FAILED,
        /** The {@link RequestFilter} or the {@link ResponseFilter} refused the request, failed, or did not answer in time. */
        FILTERED,
        /** A limit on connections was reached. */
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
