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
 * @param target the requested host and port
 * @param identity the client's identity, as the {@link Authenticator} or the host server has established it; null if
 *     there is none
 * @param fields the fields of the request's head, in their order; unmodifiable, and empty for SOCKS
 * @param tls the client's TLS session; null if the client does not speak TLS to the proxy
 */
public record AccessRequest(
        @Nullable InetAddress client,
        String method,
        HostPort target,
        @Nullable String identity,
        List<ConnectRequest.Field> fields,
        @Nullable ClientTls tls) {

    /** Checks for null. */
    public AccessRequest {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(fields, "fields");
    }

    /** Creates a request without fields, over a connection without TLS. */
    public AccessRequest(@Nullable InetAddress client, String method, HostPort target, @Nullable String identity) {
        this(client, method, target, identity, List.of(), null);
    }

    /** The same request with this identity. */
    public AccessRequest withIdentity(String identity) {
        return new AccessRequest(client, method, target, identity, fields, tls);
    }
}
