package io.broxy;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * The response of a proxy that refused to connect to a target: {@link DialException#proxyReply()}.
 *
 * <p>All of its content comes from the proxy and is not to be trusted; {@link #toString} shows the status alone.
 *
 * <p>Threading: immutable; {@link #body()} returns a separate view to each caller.
 */
public final class ProxyReply implements Serializable {
    private static final long serialVersionUID = 1L;

    /** How much of a body is kept, in bytes. */
    public static final int MAX_BODY = 4 * 1024;

    /** The protocol of the response. */
    public enum Protocol {
        /** HTTP CONNECT; the status is an HTTP status code. */
        HTTP,
        /**
         * SOCKS5; the status is the reply code (RFC 1928 section 6), or the status of a failed authentication (RFC
         * 1929).
         */
        SOCKS5,
        /** SOCKS 4 and 4a; the status is the reply code. */
        SOCKS4
    }

    private final Protocol protocol;
    private final int status;
    private final transient List<ConnectRequest.Field> fields;
    private final transient ByteBuffer body;

    /**
     * Creates a reply.
     *
     * @param protocol the protocol
     * @param status the status or reply code
     * @param fields the header fields in their order; empty for SOCKS
     * @param body the body or its beginning; what remains in the buffer is copied, up to {@link #MAX_BODY}
     */
    public ProxyReply(Protocol protocol, int status, List<ConnectRequest.Field> fields, ByteBuffer body) {
        this.protocol = Objects.requireNonNull(protocol, "protocol");
        this.status = status;
        this.fields = List.copyOf(fields);
        byte[] copy = new byte[Math.min(body.remaining(), MAX_BODY)];
        body.duplicate().get(copy);
        this.body = ByteBuffer.wrap(copy).asReadOnlyBuffer();
    }

    /** The protocol of the proxy. */
    public Protocol protocol() {
        return protocol;
    }

    /** The HTTP status code, or the reply code of SOCKS. */
    public int status() {
        return status;
    }

    /** The header fields in their order; unmodifiable, empty for SOCKS. */
    public List<ConnectRequest.Field> fields() {
        return fields;
    }

    /**
     * The body, or as much of its first {@value #MAX_BODY} bytes as came within 250 ms after the head and within the
     * dial's timeout; read-only, empty when there was none.
     */
    public ByteBuffer body() {
        return body.duplicate();
    }

    private Object writeReplace() {
        byte[] bytes = new byte[body.remaining()];
        body().get(bytes);
        return new Parts(protocol, status, fields.toArray(ConnectRequest.Field[]::new), bytes);
    }

    /** What is serialized. Threading: not changed after it is made. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Parts(Protocol protocol, int status, ConnectRequest.Field[] fields, byte[] body)
            implements Serializable {
        private Object readResolve() {
            return new ProxyReply(protocol, status, List.of(fields), ByteBuffer.wrap(body));
        }
    }

    /** Names protocol and status. */
    @Override
    public String toString() {
        return protocol + " " + status;
    }
}
