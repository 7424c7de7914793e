package io.broxy;

import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A client's request as a {@link RequestFilter} and a {@link ResponseFilter} see it.
 *
 * <p>Threading: immutable.
 *
 * @param id identifies the request within its handler, also for a {@link ProxyListener}
 * @param client the client's address, as a PROXY header announces it if there is one; null if it has none, as over a Unix
 *     domain socket
 * @param method the method as it was received: {@code CONNECT} for a tunnel
 * @param target the requested host and port
 * @param uri the absolute URI of a forwarded request as it was received; null for a tunnel
 * @param identity the client's identity, as the {@link Authenticator}, its certificate or the host server has established it;
 *     null if there is none
 * @param fields the fields of the request's head as they were received, in their order, without {@code
 *     Proxy-Authorization}; unmodifiable, and empty for SOCKS
 * @param tls the client's TLS session; null if the client does not speak TLS to the proxy
 */
public record FilterRequest(
        RequestId id,
        @Nullable InetAddress client,
        String method,
        HostPort target,
        @Nullable String uri,
        @Nullable String identity,
        List<ConnectRequest.Field> fields,
        @Nullable ClientTls tls) {

    /** Checks for null. */
    public FilterRequest {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(fields, "fields");
    }

    /** Whether the client asks for a tunnel, by CONNECT or SOCKS; else the request is forwarded. */
    public boolean isTunnel() {
        return uri == null;
    }

    /** The value of the first field of this name, ignoring case, or null if there is none. */
    public @Nullable String field(String name) {
        return first(fields, name);
    }

    static @Nullable String first(List<ConnectRequest.Field> fields, String name) {
        for (ConnectRequest.Field field : fields) {
            if (field.name().equalsIgnoreCase(name)) {
                return field.value();
            }
        }
        return null;
    }

    /** Shows the method and the target; URIs and fields may hold secrets. */
    @Override
    public String toString() {
        return "FilterRequest[" + method + " " + target + "]";
    }
}
