package io.broxy;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A CONNECT request whose head a host server has already read and parsed.
 *
 * <p>Threading: immutable; {@link #earlyBytes()} returns a separate view to each caller.
 */
public final class ConnectRequest {

    /**
     * A header field as received.
     *
     * @param name the field name
     * @param value the field value without surrounding white space
     */
    public record Field(String name, String value) implements Serializable {
        /** Checks for null. */
        public Field {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(value, "value");
        }

        /** Shows the name only, because the value may be a secret. */
        @Override
        public String toString() {
            return "Field[" + Printable.quote(name) + ", value not shown]";
        }
    }

    private final HostPort target;
    private final List<Field> fields;
    private final ByteBuffer earlyBytes;
    private final @Nullable String identity;

    private ConnectRequest(Builder builder) {
        target = builder.target;
        fields = List.copyOf(builder.fields);
        earlyBytes = builder.earlyBytes;
        identity = builder.identity;
    }

    /** A request for a target, with no fields, no early bytes and no identity. */
    public static ConnectRequest to(HostPort target) {
        return builder(target).build();
    }

    /** Returns a builder of a request for a target. */
    public static Builder builder(HostPort target) {
        return new Builder(target);
    }

    /** The requested host and port. */
    public HostPort target() {
        return target;
    }

    /** The header fields in order; unmodifiable. */
    public List<Field> fields() {
        return fields;
    }

    /** The bytes that the host server has read past the head, the first ones for the origin; read-only. */
    public ByteBuffer earlyBytes() {
        return earlyBytes.duplicate();
    }

    /**
     * The client's identity if the host server has authenticated it; it appears in {@link TunnelResult#identity()}.
     * Null if the host server {@linkplain Builder#authenticated has not}: then the handler's {@link Authenticator}
     * checks the credentials, if there is one.
     */
    public @Nullable String identity() {
        return identity;
    }

    /** Shows the target only. */
    @Override
    public String toString() {
        return "ConnectRequest[" + target + "]";
    }

    /** Collects a request. Threading: for one thread. */
    public static final class Builder {
        private final HostPort target;
        private final List<Field> fields = new ArrayList<>();
        private ByteBuffer earlyBytes = ByteBuffer.allocate(0).asReadOnlyBuffer();
        private @Nullable String identity;

        private Builder(HostPort target) {
            this.target = Objects.requireNonNull(target, "target");
        }

        /** Adds a header field. */
        public Builder field(String name, String value) {
            fields.add(new Field(name, value));
            return this;
        }

        /** Sets the bytes that followed the head; the remaining bytes are copied, and the buffer stays unchanged. */
        public Builder earlyBytes(ByteBuffer bytes) {
            ByteBuffer copy = ByteBuffer.allocate(bytes.remaining());
            copy.put(bytes.duplicate()).flip();
            earlyBytes = copy.asReadOnlyBuffer();
            return this;
        }

        /**
         * Says that the host server has authenticated the client itself, so that the handler's {@link Authenticator} is
         * not called. Otherwise it is, with the {@code Proxy-Authorization} among the {@linkplain #field fields}, and a
         * client without valid credentials gets 407.
         *
         * @param identity the client's identity, for policies, listeners and the tunnel's result
         */
        public Builder authenticated(String identity) {
            this.identity = Objects.requireNonNull(identity, "identity");
            return this;
        }

        /** Builds the request. */
        public ConnectRequest build() {
            return new ConnectRequest(this);
        }
    }
}
