package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.DialException;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.HeadWriter;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What clients are told: a status, a short fixed text and {@code Proxy-Status} (RFC 9209). Never an exception's text, which
 * may tell of the network behind the proxy.
 *
 * <p>Threading: stateless.
 */
final class Replies {
    /** No framing fields: what follows is the tunnel (RFC 9110 section 9.3.6). */
    private static final byte[] ESTABLISHED = HeadWriter.response(200, "OK").toBytes();

    /** Nothing to say any more. */
    static final ByteBuffer NOTHING = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private static final String ALLOWED = "CONNECT, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE";

    private Replies() {}

    /** The status in the head that a reply begins with; 0 if it is empty. */
    static int status(ByteBuffer reply) {
        int at = reply.position() + "HTTP/1.1 ".length();
        return reply.hasRemaining()
                ? (reply.get(at) - '0') * 100 + (reply.get(at + 1) - '0') * 10 + (reply.get(at + 2) - '0')
                : 0;
    }

    /** The answer to a CONNECT whose tunnel stands. */
    static ByteBuffer established() {
        return ByteBuffer.wrap(ESTABLISHED);
    }

    /** The answer to a request that is refused; the last one on its connection. */
    static ByteBuffer refused(RefusedException refusal, boolean withBody) {
        String error = switch (refusal.reason()) {
            case BAD_REQUEST, BAD_TARGET, HEAD_TOO_LARGE, HEAD_TIMEOUT, BODY_TIMEOUT -> "http_request_error";
            case NOT_IMPLEMENTED, ACCESS_DENIED, AUTHENTICATION_REQUIRED, TOO_MANY_FAILURES -> "http_request_denied";
            case LOOP -> "proxy_loop_detected";
            case LIMIT -> "connection_limit_reached";
            case DRAINING, AUTHENTICATION_FAILED -> "proxy_internal_error";
        };
        return error(refusal.status(), String.valueOf(refusal.getMessage()), error, withBody, false);
    }

    /** The answer to a request whose client is nobody that is known (RFC 9110 section 15.5.8). */
    static ByteBuffer unauthenticated(
            RefusedException refusal, List<String> challenges, boolean withBody, boolean persistent) {
        HeadWriter head = error(refusal.status(), "http_request_denied");
        challenges.forEach(challenge -> head.field("Proxy-Authenticate", challenge));
        return message(head, text(refusal.status(), String.valueOf(refusal.getMessage())), withBody, persistent);
    }

    /**
     * The answer to a request whose target could not be reached.
     *
     * @param persistent whether the client may send another request
     */
    static ByteBuffer failed(DialException failure, boolean withBody, boolean persistent) {
        Problem problem = switch (failure.reason()) {
            case RESOLVE -> new Problem(502, "the name could not be resolved", "dns_error");
            case REFUSED -> new Problem(502, "the target refused the connection", "connection_refused");
            case UNREACHABLE -> new Problem(502, "the target cannot be reached", "destination_ip_unroutable");
            case TIMEOUT -> new Problem(504, "the target did not answer in time", "connection_timeout");
            case DENIED -> new Problem(403, "the target's address is not allowed", "destination_ip_prohibited");
            case PROXY_REFUSED, PROXY_AUTH -> new Problem(502, "the next proxy refused", "destination_unavailable");
            case PROTOCOL -> new Problem(502, "the next proxy gave no valid answer", "http_protocol_error");
            case POOL_EXHAUSTED -> new Problem(503, "no connection is free", "connection_limit_reached");
            case LOCAL, CANCELLED -> new Problem(503, "no connection can be opened now", "proxy_internal_error");
        };
        return error(problem.status, problem.text, problem.proxyStatus, withBody, persistent);
    }

    /** The answer to a request whose target was reached and gave no response that could be passed on. */
    static ByteBuffer noResponse(OriginException failure, boolean withBody, boolean persistent) {
        Problem problem = switch (failure.reason()) {
            case NO_RESPONSE -> new Problem(502, "the target gave no answer", "http_response_incomplete");
            case INVALID_RESPONSE -> new Problem(502, "the target gave no valid answer", "http_protocol_error");
            case TIMEOUT -> new Problem(504, "the target did not answer in time", "http_response_timeout");
            case PROXY_AUTH -> new Problem(502, "the next proxy refused", "destination_unavailable");
        };
        return error(problem.status, problem.text, problem.proxyStatus, withBody, persistent);
    }

    private record Problem(int status, String text, String proxyStatus) {}

    /** The answer when the embedder's dialer breaks its contract. */
    static ByteBuffer internalError() {
        return error(500, "the proxy failed", "proxy_internal_error", true, false);
    }

    /**
     * The answer to a request that must go no farther (RFC 9110 section 7.6.2): OPTIONS asks for what this proxy can do,
     * TRACE for what it has received.
     */
    static ByteBuffer lastHop(ForwardedRequest request, boolean persistent) {
        HeadWriter head = HeadWriter.response(200, "OK");
        ByteBuffer body = NOTHING;
        if (request.method().equals("TRACE")) {
            body = ByteBuffer.allocate(request.traceBytes());
            request.writeTrace(body);
            body.flip();
            head.field("Content-Type", "message/http");
        } else {
            head.field("Allow", ALLOWED);
        }
        return message(head, body, true, persistent);
    }

    private static ByteBuffer error(int status, String text, String proxyStatus, boolean withBody, boolean persistent) {
        return message(error(status, proxyStatus), text(status, text), withBody, persistent);
    }

    private static HeadWriter error(int status, String proxyStatus) {
        return HeadWriter.response(status, phrase(status))
                .field("Proxy-Status", "Broxy; error=" + proxyStatus)
                .field("Content-Type", "text/plain");
    }

    private static ByteBuffer text(int status, String text) {
        return ByteBuffer.wrap((status + " " + text + "\n").getBytes(US_ASCII));
    }

    private static ByteBuffer message(HeadWriter writer, ByteBuffer body, boolean withBody, boolean persistent) {
        writer.field("Content-Length", String.valueOf(body.remaining()));
        if (!persistent) {
            writer.field("Connection", "close");
        }
        byte[] head = writer.toBytes();
        ByteBuffer all = ByteBuffer.allocate(head.length + body.remaining()).put(head);
        return (withBody ? all.put(body) : all).flip();
    }

    private static String phrase(int status) {
        return switch (status) {
            case 400 -> "Bad Request";
            case 403 -> "Forbidden";
            case 407 -> "Proxy Authentication Required";
            case 408 -> "Request Timeout";
            case 417 -> "Expectation Failed";
            case 429 -> "Too Many Requests";
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
