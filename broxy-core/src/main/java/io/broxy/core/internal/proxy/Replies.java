package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.DialException;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.HeadWriter;
import java.nio.ByteBuffer;

/**
 * What clients are told: a status, a short fixed text and {@code Proxy-Status} (RFC 9209). Never an exception's text, which
 * may tell of the network behind the proxy.
 *
 * <p>Threading: stateless.
 */
final class Replies {
    /** No framing fields: what follows is the tunnel (RFC 9110 section 9.3.6). */
    private static final byte[] ESTABLISHED = HeadWriter.response(200, "OK").toBytes();

    private Replies() {}

    /** The answer to a CONNECT whose tunnel stands. */
    static ByteBuffer established() {
        return ByteBuffer.wrap(ESTABLISHED);
    }

    /** The answer to a request that is refused. */
    static ByteBuffer refused(RefusedException refusal, boolean withBody) {
        String error = switch (refusal.reason()) {
            case BAD_REQUEST, BAD_TARGET, HEAD_TOO_LARGE, HEAD_TIMEOUT -> "http_request_error";
            case NOT_IMPLEMENTED -> "http_request_denied";
            case LIMIT -> "connection_limit_reached";
            case DRAINING -> "proxy_internal_error";
        };
        return error(refusal.status(), String.valueOf(refusal.getMessage()), error, withBody);
    }

    /** The answer to a request whose target could not be reached. */
    static ByteBuffer failed(DialException failure) {
        return switch (failure.reason()) {
            case RESOLVE -> error(502, "the name could not be resolved", "dns_error", true);
            case REFUSED -> error(502, "the target refused the connection", "connection_refused", true);
            case UNREACHABLE -> error(502, "the target cannot be reached", "destination_ip_unroutable", true);
            case TIMEOUT -> error(504, "the target did not answer in time", "connection_timeout", true);
            case DENIED -> error(403, "the target's address is not allowed", "destination_ip_prohibited", true);
            case PROXY_REFUSED, PROXY_AUTH -> error(502, "the next proxy refused", "destination_unavailable", true);
            case PROTOCOL -> error(502, "the next proxy gave no valid answer", "http_protocol_error", true);
            case POOL_EXHAUSTED -> error(503, "no connection is free", "connection_limit_reached", true);
            case LOCAL, CANCELLED -> error(503, "no connection can be opened now", "proxy_internal_error", true);
        };
    }

    /** The answer when the embedder's dialer breaks its contract. */
    static ByteBuffer internalError() {
        return error(500, "the proxy failed", "proxy_internal_error", true);
    }

    private static ByteBuffer error(int status, String text, String proxyStatus, boolean withBody) {
        byte[] body = (status + " " + text + "\n").getBytes(US_ASCII);
        byte[] head = HeadWriter.response(status, phrase(status))
                .field("Proxy-Status", "Broxy; error=" + proxyStatus)
                .field("Content-Type", "text/plain")
                .field("Content-Length", String.valueOf(body.length))
                .field("Connection", "close")
                .toBytes();
        ByteBuffer all = ByteBuffer.allocate(head.length + body.length).put(head);
        return (withBody ? all.put(body) : all).flip();
    }

    private static String phrase(int status) {
        return switch (status) {
            case 400 -> "Bad Request";
            case 403 -> "Forbidden";
            case 408 -> "Request Timeout";
            case 417 -> "Expectation Failed";
            case 431 -> "Request Header Fields Too Large";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            case 505 -> "HTTP Version Not Supported";
            default -> throw new IllegalArgumentException("no reason phrase for " + status);
        };
    }
}
