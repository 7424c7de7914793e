package io.broxy;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The target of a dial and its conditions.
 *
 * <p>Threading: immutable; a request may be dialed any number of times.
 */
public final class DialRequest {
    private final HostPort target;
    private final @Nullable Duration timeout;
    private final AddressPolicy addressPolicy;
    private final Map<String, Object> attributes;
    private final @Nullable Client client;
    private final int scopeId;

    /**
     * The client on whose behalf a connection is made.
     *
     * <p>Threading: immutable.
     *
     * @param source the client's address
     * @param destination the address that the client connected to; it is independent of the target
     * @param identity the client's identity, as the {@link Authenticator} or the host server has established it, or null
     */
    public record Client(
            SocketAddress source,
            SocketAddress destination,
            @Nullable String identity) {
        /** Checks for null. */
        public Client {
            Objects.requireNonNull(source, "source");
            Objects.requireNonNull(destination, "destination");
        }

        /** A client without an identity. */
        public Client(SocketAddress source, SocketAddress destination) {
            this(source, destination, null);
        }
    }

    private DialRequest(Builder builder) {
        target = builder.target;
        timeout = builder.timeout;
        addressPolicy = builder.addressPolicy;
        attributes = builder.attributes == null ? Map.of() : Map.copyOf(builder.attributes);
        client = builder.client;
        scopeId = builder.scopeId;
    }

    /** A request with defaults: the dialer's own timeout, any address, no attributes. */
    public static DialRequest to(HostPort target) {
        return builder(target).build();
    }

    /** Starts a request for a target. */
    public static Builder builder(HostPort target) {
        return new Builder(target);
    }

    /** Starts a request that equals this one. */
    public Builder toBuilder() {
        Builder builder = new Builder(target).addressPolicy(addressPolicy);
        builder.client = client;
        builder.scopeId = scopeId;
        builder.timeout = timeout;
        attributes.forEach(builder::attribute);
        return builder;
    }

    /** The host and port to connect to. */
    public HostPort target() {
        return target;
    }

    /**
     * The target's address with its {@linkplain Builder#scopeId scope}, or null if the target is a name. A dialer that
     * goes through no proxy connects to this address.
     */
    public @Nullable InetAddress address() {
        InetAddress literal = target.address();
        if (scopeId == 0 || !(literal instanceof Inet6Address)) {
            return literal;
        }
        try {
            return Inet6Address.getByAddress(target.host(), literal.getAddress(), scopeId);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of 16 bytes is one", e);
        }
    }

    /**
     * The time for the whole dial, counted from the call of {@code dial}: resolving, connecting and every handshake
     * together. Null means the dialer's default. A dialer that goes through another one passes on the remaining time.
     */
    public @Nullable Duration timeout() {
        return timeout;
    }

    /**
     * The policy that decides about each address just before the dialer connects to that very address; default {@link
     * AddressPolicy#any()}. It applies to the target: a dialer that goes through a proxy does not apply it to the
     * proxy's address.
     */
    public AddressPolicy addressPolicy() {
        return addressPolicy;
    }

    /** Values for user-written dialers, such as a tenant or a trace id; unmodifiable. Built-in dialers read none. */
    public Map<String, Object> attributes() {
        return attributes;
    }

    /**
     * The client for which the connection is dialed, or null for none. A {@link ProxyHandler} sets it for every tunnel, and for a
     * forwarded request where the dialer {@linkplain Dialer#sendsClientAddress() passes it on}; other connections for forwarded
     * requests serve other clients later. A dialer that goes through another one passes it on.
     */
    public @Nullable Client client() {
        return client;
    }

    /** Shows the target, the timeout and the attributes' names (their values may be secrets). */
    @Override
    public String toString() {
        return "DialRequest[" + target + (timeout == null ? "" : ", timeout " + timeout)
                + (attributes.isEmpty() ? "" : ", attributes " + attributes.keySet()) + "]";
    }

    /** Collects a request. Threading: for one thread. */
    public static final class Builder {
        private HostPort target;
        private @Nullable Duration timeout;
        private AddressPolicy addressPolicy = AddressPolicy.any();
        private @Nullable Map<String, Object> attributes;
        private @Nullable Client client;
        private int scopeId;

        private Builder(HostPort target) {
            this.target = Objects.requireNonNull(target, "target");
        }

        /** Replaces the target, and forgets the scope of the one before. */
        public Builder target(HostPort target) {
            this.target = Objects.requireNonNull(target, "target");
            scopeId = 0;
            return this;
        }

        /**
         * Sets the time for the whole dial.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder timeout(Duration timeout) {
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("a dial's timeout must be positive, not " + timeout);
            }
            this.timeout = timeout;
            return this;
        }

        /** Sets the policy for the addresses that may be connected to. */
        public Builder addressPolicy(AddressPolicy addressPolicy) {
            this.addressPolicy = Objects.requireNonNull(addressPolicy, "addressPolicy");
            return this;
        }

        /** Adds a value for user-written dialers, or replaces the one of that name. */
        public Builder attribute(String name, Object value) {
            if (attributes == null) {
                attributes = new LinkedHashMap<>();
            }
            attributes.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
            return this;
        }

        /**
         * Sets the scope of a target that is an IPv6 address, such as a link-local one (RFC 4007): the number of a
         * network interface of this machine, as {@link Inet6Address#getScopeId} gives it. 0, the default, means none.
         * It is not part of the target, and has no meaning on another machine: a dialer that goes through a proxy does
         * not pass it on.
         *
         * @throws IllegalArgumentException if it is negative
         */
        public Builder scopeId(int scopeId) {
            if (scopeId < 0) {
                throw new IllegalArgumentException("a scope id must not be negative, but is " + scopeId);
            }
            this.scopeId = scopeId;
            return this;
        }

        /** Sets the client on whose behalf the connection is dialed; null, the default, for none. */
        public Builder client(@Nullable Client client) {
            this.client = client;
            return this;
        }

        /** The request. */
        public DialRequest build() {
            return new DialRequest(this);
        }
    }
}
