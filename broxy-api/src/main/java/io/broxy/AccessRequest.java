package io.broxy;

import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A client's request as an {@link AccessPolicy} and an {@link Authenticator} see it, before any name is resolved and
 * any connection is dialed.
 *
 * <p>Threading: immutable.
 *
 * @param client the client's address; null if it has none, as over a Unix domain socket
 * @param method the method as it was received: {@code CONNECT} for a tunnel
 * @param target the requested host and port; null in the login of a SOCKS5 client, which comes before its request
 * @param identity the client's identity, as the {@link Authenticator} or the host server has established it; null if
 *     there is none
 * @param fields the fields of the request's head, in their order; unmodifiable, and empty for SOCKS
 * @param tls the client's TLS session; null if the client does not speak TLS to the proxy
 */
public record AccessRequest(
        @Nullable InetAddress client,
        String method,
        @Nullable HostPort target,
        @Nullable String identity,
        List<ConnectRequest.Field> fields,
        @Nullable ClientTls tls) {

    /** Checks for null. */
    public AccessRequest {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(fields, "fields");
    }

    /** Creates a request without fields, over a connection without TLS. */
    public AccessRequest(@Nullable InetAddress client, String method, HostPort target, @Nullable String identity) {
        this(client, method, target, identity, List.of(), null);
    }

    /** Whether the target is known: always for an {@link AccessPolicy}, and for an {@link Authenticator} unless the client speaks SOCKS5. */
    public boolean hasTarget() {
        return target != null;
    }

    /**
     * The requested host and port.
     *
     * @throws IllegalStateException if it is not {@linkplain #hasTarget known}
     */
    @Override
    public HostPort target() {
        if (target == null) {
            throw new IllegalStateException("a SOCKS5 client names its target after its login");
        }
        return target;
    }

    /** The same request with this identity. */
    public AccessRequest withIdentity(String identity) {
        return new AccessRequest(client, method, target, identity, fields, tls);
    }
}
