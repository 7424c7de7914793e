package io.broxy.core.internal.proxy;

import io.broxy.ConnectRequest;
import io.broxy.FilterRequest;
import io.broxy.HostPort;
import io.broxy.core.internal.http.ForwardedRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What filters see of a request.
 *
 * <p>Threading: stateless.
 */
final class FilterFacts {
    private FilterFacts() {}

    /** The fields of a request. */
    static List<ConnectRequest.Field> fields(ForwardedRequest request) {
        return request.head().fields().listWithout(AccessStep.CREDENTIALS);
    }

    /** A request for a tunnel. */
    static FilterRequest ofTunnel(
            ClientConnection connection,
            HostPort target,
            @Nullable String identity,
            List<ConnectRequest.Field> fields) {
        ClientFacts facts = connection.facts();
        return new FilterRequest(
                connection.account().requestId(),
                facts.address(),
                "CONNECT",
                target,
                null,
                identity,
                fields,
                facts.tls());
    }

    /** A request that is forwarded. */
    static FilterRequest of(ClientConnection connection, ForwardedRequest request, @Nullable String identity) {
        ClientFacts facts = connection.facts();
        return new FilterRequest(
                connection.account().requestId(),
                facts.address(),
                request.method(),
                request.target().hostPort(),
                request.head().target(),
                identity,
                fields(request),
                facts.tls());
    }
}
