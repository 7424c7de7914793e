package io.broxy.core.internal.http;

import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import javax.net.ssl.SSLException;

/**
 * The catalog of refusals: for each, the reason that operators count, and the status and text for the client. The error type of
 * {@code Proxy-Status} follows from the reason.
 *
 * <p>Threading: immutable.
 */
public enum Rejection {
    // ------------------------------------------------------------------ the request

    /** The handler serves tunnels only. */
    CONNECT_ONLY(Reason.NOT_IMPLEMENTED, 501, "only CONNECT is served"),
    /** The request is for the proxy itself, which does not serve requests. */
    NOT_A_WEB_SERVER(Reason.BAD_TARGET, 400, "this is a proxy: the target is to be a whole URI"),
    /** The request has this proxy's own Via. */
    LOOP(Reason.LOOP, 502, "the request has been here before"),
    /** The head is not complete in time. */
    HEAD_TIMEOUT(Reason.HEAD_TIMEOUT, 408, "the request did not come in time"),
    /** The body stalls. */
    BODY_TIMEOUT(Reason.BODY_TIMEOUT, 408, "the request's body did not come in time"),
    /** The body of a request to the proxy itself exceeds its limit. */
    BODY_TOO_LARGE(Reason.BODY_TOO_LARGE, 413, "the body is too long"),

    // ------------------------------------------------------------------ TLS

    /** The client does not begin with TLS. */
    NOT_TLS(Reason.TLS, 400, "this port speaks TLS: use it as an https proxy"),
    /** The handshake is not complete in time. */
    TLS_TIMEOUT(Reason.TLS, 408, "the TLS handshake did not end in time"),

    // ------------------------------------------------------------------ the client and its rights

    /** The credentials are ambiguous. */
    SEVERAL_CREDENTIALS(Reason.BAD_REQUEST, 400, "more than one Proxy-Authorization"),
    /** The credentials are missing or wrong. */
    UNAUTHENTICATED(Reason.AUTHENTICATION_REQUIRED, 407, "the proxy needs valid credentials"),
    /** The next password guess would have to wait for too long. */
    TOO_MANY_FAILURES(Reason.TOO_MANY_FAILURES, 429, "too many wrong credentials"),
    /** The authenticator fails or does not answer in time. */
    UNDECIDED(Reason.AUTHENTICATION_FAILED, 503, "credentials cannot be checked now"),
    /** The access policy denies the request. */
    ACCESS_DENIED(Reason.ACCESS_DENIED, 403, "the request is not allowed"),

    // ------------------------------------------------------------------ filters

    /** The request filter fails. */
    FILTER_FAILED(Reason.FILTERED, 500, "the request could not be filtered"),
    /** The request filter does not decide in time. */
    FILTER_TIMEOUT(Reason.FILTERED, 503, "the request could not be filtered in time"),
    /** The response filter fails. */
    RESPONSE_FILTER_FAILED(Reason.FILTERED, 502, "the response could not be filtered"),

    // ------------------------------------------------------------------ limits

    /** The limit on connections is reached. */
    FULL(Reason.LIMIT, 503, "too many tunnels"),
    /** The client has reached its limit on connections. */
    TOO_MANY_OF_CLIENT(Reason.LIMIT, 503, "too many connections of one client"),
    /** The connection to the origin would need threads, whose limit is reached. */
    TOO_MANY_THREADS(Reason.LIMIT, 503, "too many connections that take threads"),
    /** Too many TLS handshakes are in progress. */
    TOO_MANY_HANDSHAKES(Reason.LIMIT, 503, "too many TLS handshakes"),
    /** The handler is draining or closed. */
    DRAINING(Reason.DRAINING, 503, "the proxy takes no new tunnels");

    private final Reason reason;
    private final int status;
    private final String text;

    Rejection(Reason reason, int status, String text) {
        this.reason = reason;
        this.status = status;
        this.text = text;
    }

    /** The exception that carries this refusal to the client, the listener and the log. */
    public RefusedException exception() {
        return new RefusedException(reason, status, text);
    }

    /** The refusal of a head that violates HTTP/1.1; its text names the rule. */
    public static RefusedException of(BadHeadException bad) {
        return switch (bad.problem()) {
            case SYNTAX, HOST, FRAMING -> ofBody(bad);
            case TARGET_TOO_LONG -> refusal(Reason.HEAD_TOO_LARGE, 414, bad);
            case TOO_LARGE, TOO_MANY_FIELDS -> refusal(Reason.HEAD_TOO_LARGE, 431, bad);
            case VERSION -> refusal(Reason.NOT_IMPLEMENTED, 505, bad);
            case CODING, SCHEME -> refusal(Reason.NOT_IMPLEMENTED, 501, bad);
            case TARGET -> refusal(Reason.BAD_TARGET, 400, bad);
            case EXPECTATION -> refusal(Reason.NOT_IMPLEMENTED, 417, bad);
        };
    }

    /** The refusal of a body that violates HTTP/1.1. */
    public static RefusedException ofBody(BadHeadException bad) {
        return refusal(Reason.BAD_REQUEST, 400, bad);
    }

    private static RefusedException refusal(Reason reason, int status, BadHeadException bad) {
        return new RefusedException(reason, status, String.valueOf(bad.getMessage()));
    }

    /** The refusal of a request, or of its response, by a filter. */
    public static RefusedException filtered(int status, String text) {
        return new RefusedException(Reason.FILTERED, status, text);
    }

    /** The refusal of a connection without a valid PROXY header, which is closed without a response. */
    public static RefusedException ofProxyHeader(String problem) {
        return new RefusedException(Reason.PROXY_PROTOCOL, 400, "PROXY protocol: " + problem);
    }

    /** The refusal of a client whose TLS handshake has failed, which gets an alert. */
    public static RefusedException ofTls(SSLException failure) {
        RefusedException refusal = new RefusedException(Reason.TLS, 400, "TLS: " + failure.getMessage());
        refusal.initCause(failure);
        return refusal;
    }

    /** The error type in {@code Proxy-Status} (RFC 9209 section 2.3). */
    public static String proxyStatus(Reason reason) {
        return switch (reason) {
            case BAD_REQUEST,
                    PROXY_PROTOCOL,
                    TLS,
                    BAD_TARGET,
                    HEAD_TOO_LARGE,
                    HEAD_TIMEOUT,
                    BODY_TIMEOUT,
                    BODY_TOO_LARGE -> "http_request_error";
            case NOT_IMPLEMENTED, ACCESS_DENIED, AUTHENTICATION_REQUIRED, TOO_MANY_FAILURES, FILTERED ->
                "http_request_denied";
            case LOOP -> "proxy_loop_detected";
            case LIMIT -> "connection_limit_reached";
            case DRAINING, AUTHENTICATION_FAILED -> "proxy_internal_error";
        };
    }
}
