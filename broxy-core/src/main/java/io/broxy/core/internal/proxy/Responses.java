package io.broxy.core.internal.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.LocalResponse;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.LoopBuffers;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/**
 * The responses of the proxy's own: a status, a short fixed text and {@code Proxy-Status} (RFC 9209); never an exception's text,
 * which may reveal the network behind the proxy. {@link Rejection} lists the refusals.
 *
 * <p>Threading: stateless.
 */
final class Responses {
    /** No framing fields: what follows is the tunnel (RFC 9110 section 9.3.6). */
    private static final byte[] ESTABLISHED = HeadWriter.response(200, "OK").toBytes();

    /** The status of what is the proxy's own fault. */
    static final int INTERNAL_ERROR = 500;

    /** No bytes. */
    static final ByteBuffer NOTHING = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private static final DateTimeFormatter IMF_FIXDATE = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /** A shortage is short (RFC 9110 section 10.2.3): places become free all the time, and instances are replaced. */
    private static final String RETRY_AFTER_SECONDS = "2";

    private static final String ALLOWED = "CONNECT, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE";

    private Responses() {}

    /** The answer to a CONNECT whose tunnel is open, in a buffer to be released. */
    static ByteBuffer established(LoopBuffers buffers) {
        return buffers.borrow(ESTABLISHED.length).put(ESTABLISHED).flip();
    }

    /** The same for a client of a host server that writes it. */
    static Answer established() {
        return new Answer(200, ByteBuffer.wrap(ESTABLISHED).asReadOnlyBuffer());
    }

    /** The answer to a CONNECT that ends without one, such as when the handler closes. */
    static Answer noTunnel() {
        return error(503, "no tunnel can be opened now", "proxy_internal_error", true, false);
    }

    /** The answer to a request that is refused; the last one on its connection. */
    static Answer refused(RefusedException refusal, boolean withBody) {
        String error = Rejection.proxyStatus(refusal.reason());
        return error(refusal.status(), String.valueOf(refusal.getMessage()), error, withBody, false);
    }

    /** The answer to an unauthenticated request (RFC 9110 section 15.5.8). */
    static Answer unauthenticated(
            RefusedException refusal, List<String> challenges, boolean withBody, boolean persistent) {
        HeadWriter head = error(refusal.status(), Rejection.proxyStatus(refusal.reason()));
        challenges.forEach(challenge -> head.field("Proxy-Authenticate", challenge));
        return message(
                refusal.status(),
                head,
                text(refusal.status(), String.valueOf(refusal.getMessage())),
                withBody,
                persistent);
    }

    /**
     * The answer to a request whose target could not be reached.
     *
     * @param persistent whether the client may send another request
     */
    static Answer failed(DialException failure, boolean withBody, boolean persistent) {
        Problem problem = problem(failure);
        return error(problem.status, problem.text, problem.proxyStatus, withBody, persistent);
    }

    /** The status of {@link #failed}. */
    static int status(DialException failure) {
        return problem(failure).status;
    }

    private static Problem problem(DialException failure) {
        return switch (failure.reason()) {
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
    }

    /** The answer to a request whose target was reached and gave no response that could be passed on. */
    static Answer noResponse(OriginException failure, boolean withBody, boolean persistent) {
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
    static Answer internalError() {
        return error(INTERNAL_ERROR, "the proxy failed", "proxy_internal_error", true, false);
    }

    /**
     * The answer to a request that must go no farther (RFC 9110 section 7.6.2): OPTIONS asks for what this proxy can do,
     * TRACE for what it has received.
     */
    static Answer lastHop(ForwardedRequest request, boolean persistent) {
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
        return message(200, head, body, true, persistent);
    }

    /** Asks a client to send its body (RFC 9110 section 15.2.1); for requests to the proxy itself only. */
    static ByteBuffer goOn() {
        return ByteBuffer.wrap(HeadWriter.response(100, "Continue").toBytes());
    }

    /** The embedder's answer to a request to the proxy itself. */
    static Answer own(LocalResponse response, boolean withBody, boolean persistent) {
        int status = response.status();
        HeadWriter head = HeadWriter.response(status, phrase(status));
        boolean dated = false;
        for (ConnectRequest.Field field : response.fields()) {
            head.field(field.name(), field.value());
            dated |= field.name().equalsIgnoreCase("Date");
        }
        if (!dated) { // RFC 9110 section 6.6.1
            head.field("Date", IMF_FIXDATE.format(Instant.now()));
        }
        if (status == 204 || status == 304) { // which has no content, and so no length of it (section 8.6)
            return end(status, head, NOTHING, persistent);
        }
        return message(status, head, response.body(), withBody, persistent);
    }

    /** The answer when the embedder gives none in time (503), or fails (500). */
    static Answer noOwnAnswer(int status, boolean withBody, boolean persistent) {
        String text = status == 503 ? "the proxy did not answer in time" : "the proxy failed";
        return error(status, text, "proxy_internal_error", withBody, persistent);
    }

    private static Answer error(int status, String text, String proxyStatus, boolean withBody, boolean persistent) {
        return message(status, error(status, proxyStatus), text(status, text), withBody, persistent);
    }

    private static HeadWriter error(int status, String proxyStatus) {
        HeadWriter head =
                HeadWriter.response(status, phrase(status)).field("Proxy-Status", "Broxy; error=" + proxyStatus);
        if (status == 503) {
            head.field("Retry-After", RETRY_AFTER_SECONDS);
        }
        return head.field("Content-Type", "text/plain");
    }

    private static ByteBuffer text(int status, String text) {
        return ByteBuffer.wrap((status + " " + text + "\n").getBytes(US_ASCII));
    }

    private static Answer message(
            int status, HeadWriter writer, ByteBuffer body, boolean withBody, boolean persistent) {
        writer.field("Content-Length", String.valueOf(body.remaining()));
        return end(status, writer, withBody ? body : NOTHING, persistent);
    }

    private static Answer end(int status, HeadWriter writer, ByteBuffer body, boolean persistent) {
        if (!persistent) {
            writer.field("Connection", "close");
        }
        byte[] head = writer.toBytes();
        ByteBuffer bytes = ByteBuffer.allocate(head.length + body.remaining())
                .put(head)
                .put(body.duplicate())
                .flip();
        return new Answer(status, bytes);
    }

    /** May be empty (RFC 9112 section 4). */
    private static String phrase(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 204 -> "No Content";
            case 304 -> "Not Modified";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 407 -> "Proxy Authentication Required";
            case 408 -> "Request Timeout";
            case 413 -> "Content Too Large";
            case 414 -> "URI Too Long";
            case 417 -> "Expectation Failed";
            case 429 -> "Too Many Requests";
            case 431 -> "Request Header Fields Too Large";
            case 451 -> "Unavailable For Legal Reasons";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            case 505 -> "HTTP Version Not Supported";
            default -> "";
        };
    }
}
