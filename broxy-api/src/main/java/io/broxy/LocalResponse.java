package io.broxy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The response of a {@link LocalRequestHandler}, or of a {@link RequestFilter} that answers itself. The proxy adds the framing, and a {@code Date} if there is none.
 *
 * <pre>{@code
 * LocalResponse.of(200, "text/plain", "healthy\n")
 * }</pre>
 *
 * <p>Threading: immutable; {@link #body()} returns a separate view to each caller.
 */
public final class LocalResponse {
    private final int status;
    private final List<ConnectRequest.Field> fields;
    private final ByteBuffer body;

    private LocalResponse(Builder builder) {
        status = builder.status;
        fields = List.copyOf(builder.fields);
        body = builder.body;
    }

    /**
     * Returns a response with a text, in UTF-8.
     *
     * @param contentType the media type without a charset, such as {@code text/plain}
     * @throws IllegalArgumentException as {@link Builder} does
     */
    public static LocalResponse of(int status, String contentType, String text) {
        return builder(status)
                .field("Content-Type", contentType + "; charset=utf-8")
                .body(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)))
                .build();
    }

    /**
     * Returns a builder of a response, without fields and body.
     *
     * @param status the status of a final response, 200 to 599
     * @throws IllegalArgumentException if it is out of range
     */
    public static Builder builder(int status) {
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("the status of a final response is 200 to 599, not " + status);
        }
        return new Builder(status);
    }

    /** The status. */
    public int status() {
        return status;
    }

    /** The header fields in their order; unmodifiable. */
    public List<ConnectRequest.Field> fields() {
        return fields;
    }

    /** The body; read-only, and empty when there is none. */
    public ByteBuffer body() {
        return body.duplicate();
    }

    /** Shows the status only. */
    @Override
    public String toString() {
        return "LocalResponse[" + status + "]";
    }

    /** Collects a response. Threading: for one thread. */
    public static final class Builder {
        private final int status;
        private final List<ConnectRequest.Field> fields = new ArrayList<>();
        private ByteBuffer body = ByteBuffer.allocate(0).asReadOnlyBuffer();

        private Builder(int status) {
            this.status = status;
        }

        /**
         * Adds a header field.
         *
         * @throws IllegalArgumentException if the name is not a token, or is one that the proxy itself writes ({@code
         *     Content-Length}, {@code Transfer-Encoding}, {@code Trailer}, {@code Connection} and all other hop-by-hop
         *     fields); or the value has a control character other than HTAB, has one outside ISO-8859-1, or begins or
         *     ends with white space
         */
        public Builder field(String name, String value) {
            FieldSyntax.checkName(name);
            FieldSyntax.checkValue(name, value);
            fields.add(new ConnectRequest.Field(name, value));
            return this;
        }

        /** Sets the body; what remains in the buffer is copied, the buffer stays as it is. */
        public Builder body(ByteBuffer bytes) {
            ByteBuffer copy = ByteBuffer.allocate(bytes.remaining());
            copy.put(bytes.duplicate()).flip();
            body = copy.asReadOnlyBuffer();
            return this;
        }

        /**
         * Builds the response.
         *
         * @throws IllegalArgumentException if there is a body and the status does not allow one: 204, 205 and 304
         */
        public LocalResponse build() {
            if (body.hasRemaining() && (status == 204 || status == 205 || status == 304)) {
                throw new IllegalArgumentException("a response with status " + status + " must not have a body");
            }
            return new LocalResponse(this);
        }
    }
}
