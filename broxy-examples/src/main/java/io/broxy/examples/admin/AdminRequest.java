package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request to the admin address, and its response. Every response has the fields that keep a browser from doing more than
 * this page needs.
 *
 * <p>Threading: for one thread at a time.
 */
final class AdminRequest implements AutoCloseable {
    private static final String PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** More than any request here needs; what is behind it is not read. */
    private static final int LONGEST_BODY = 64 * 1024;

    private final HttpExchange exchange;
    private final WriteLimit limit;

    AdminRequest(HttpExchange exchange, WriteLimit limit) {
        this.exchange = exchange;
        this.limit = limit;
    }

    // ------------------------------------------------------------------ the request

    String method() {
        return exchange.getRequestMethod();
    }

    /** Without the query; empty if the target is none. */
    String path() {
        String path = exchange.getRequestURI().getPath();
        return path == null ? "" : path;
    }

    /** The value of the only field of a name; null if there is none, or more than one. */
    @Nullable
    String field(String name) {
        List<String> values = exchange.getRequestHeaders().get(name);
        return values == null || values.size() != 1 ? null : values.get(0);
    }

    /** All values of a field, in one. */
    String list(String name) {
        List<String> values = exchange.getRequestHeaders().get(name);
        return values == null ? "" : String.join(",", values);
    }

    /**
     * The parameters of the query.
     *
     * @throws BadQueryException if the query is malformed, or has a parameter twice
     */
    Map<String, String> query() {
        Map<String, String> parameters = new HashMap<>();
        String query = exchange.getRequestURI().getRawQuery();
        if (query == null || query.isEmpty()) {
            return parameters;
        }
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new BadQueryException("the query consists of NAME=VALUE, separated by '&'");
            }
            try {
                String name = URLDecoder.decode(pair.substring(0, equals), UTF_8);
                if (parameters.put(name, URLDecoder.decode(pair.substring(equals + 1), UTF_8)) != null) {
                    throw new BadQueryException("a parameter is there twice");
                }
            } catch (IllegalArgumentException e) {
                throw new BadQueryException("the query is not percent-encoded");
            }
        }
        return parameters;
    }

    /** Reads the body, which says nothing here, so that the connection can serve another request. */
    void discardBody() throws IOException {
        try (InputStream body = exchange.getRequestBody()) {
            body.readNBytes(LONGEST_BODY);
        }
    }

    // ------------------------------------------------------------------ the response

    /** Adds a field to the response. */
    AdminRequest with(String name, String value) {
        exchange.getResponseHeaders().set(name, value);
        return this;
    }

    /** Answers with one line. */
    void text(int status, String line) throws IOException {
        answer(status, "text/plain; charset=utf-8", (line + "\n").getBytes(UTF_8));
    }

    /** Answers with JSON. */
    void json(String body) throws IOException {
        answer(200, "application/json", body.getBytes(UTF_8));
    }

    /** Answers with a whole body; without it for HEAD. */
    void answer(int status, String type, byte[] body) throws IOException {
        fields(type);
        limit.within(() -> {
            if (method().equals("HEAD") || body.length == 0) {
                exchange.sendResponseHeaders(status, -1);
            } else {
                exchange.sendResponseHeaders(status, body.length);
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
    }

    /** Begins a body that has no length. */
    void begin(String type) throws IOException {
        fields(type);
        limit.within(() -> exchange.sendResponseHeaders(200, 0));
    }

    /** Sends a piece of such a body at once. */
    void send(byte[] piece) throws IOException {
        limit.within(() -> {
            OutputStream body = exchange.getResponseBody();
            body.write(piece);
            body.flush();
        });
    }

    private void fields(String type) {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", type);
        headers.set("Cache-Control", "no-store");
        headers.set("Content-Security-Policy", PAGE_POLICY);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
    }

    /** Ends the response; without one, closes the connection. */
    @Override
    public void close() {
        exchange.close();
    }
}
