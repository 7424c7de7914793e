package io.broxy.core.internal.proxy;

import io.broxy.AccessPolicy;
import io.broxy.AddressPolicy;
import io.broxy.Authenticator;
import io.broxy.LocalRequestHandler;
import io.broxy.ProxyListener;
import io.broxy.RequestFilter;
import io.broxy.ResponseFilter;
import io.broxy.core.internal.forward.Forwarding;
import io.broxy.core.internal.http.ClientNaming;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.relay.Idleness;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a handler; see {@link io.broxy.ProxyHandler.Builder}.
 *
 * <p>Threading: immutable.
 */
record HandlerSettings(
        Access access,
        Filters filters,
        Timeouts timeouts,
        Limits limits,
        Forwarding forwarding,
        @Nullable LocalRequestHandler localRequests,
        @Nullable ProxyListener listener) {

    /**
     * What clients may ask for.
     *
     * @param authenticator null if clients need no credentials
     * @param trustedSenders their connections begin with a header of the PROXY protocol; null if there are none
     * @param socks whether clients may speak SOCKS
     * <p>Threading: immutable.
     */
    record Access(
            AccessPolicy policy,
            @Nullable Authenticator authenticator,
            @Nullable AddressPolicy trustedSenders,
            boolean socks) {

        /** Whether a connection from there begins with a header of the PROXY protocol. */
        boolean isTrustedSender(@Nullable SocketAddress remote) {
            return trustedSenders != null
                    && remote instanceof InetSocketAddress internet
                    && trustedSenders.admits(internet.getAddress());
        }
    }

    /**
     * What becomes of a request that is allowed, and of its response.
     *
     * @param request null if there is none
     * @param blocking whether the request filter may block
     * @param timeoutNanos for a request filter that may block
     * @param response null if there is none
     * @param naming how origins are told of the client
     * <p>Threading: immutable.
     */
    record Filters(
            @Nullable RequestFilter request,
            boolean blocking,
            long timeoutNanos,
            @Nullable ResponseFilter response,
            ClientNaming naming) {}

    /**
     * How long things may take.
     *
     * @param lifetimeNanos of a client's connection; 0 for no limit
     * @param idleness of a tunnel
     * <p>Threading: immutable.
     */
    record Timeouts(
            long headNanos,
            long authenticationNanos,
            long bodyNanos,
            long localRequestNanos,
            long keepAliveNanos,
            long lifetimeNanos,
            Idleness idleness) {

        /** Enough for the round trips of a request, with a retransmission. */
        private static final long REFUSED_NANOS = TimeUnit.SECONDS.toNanos(2);

        /** How long a client may take for its request if that is refused anyway: meanwhile it holds a place that others need. */
        long refusedHeadNanos() {
            return Math.min(headNanos, REFUSED_NANOS);
        }
    }

    /**
     * How much of everything there may be; 0 for no limit.
     *
     * @param threaded connections that need threads
     * @param rate of one connection, in bytes a second and direction
     * @param ratePerClient of all connections of a client together
     * @param ratePerIdentity of all connections of an authenticated user together
     * <p>Threading: immutable.
     */
    record Limits(
            int connections,
            int threaded,
            int connectionsPerClient,
            int requestsPerConnection,
            int tlsHandshakes,
            HeadLimits requestHead,
            long rate,
            long ratePerClient,
            long ratePerIdentity) {

        /** Whether a client that has sent so many requests may send another. */
        boolean mayFollow(int requests) {
            return requestsPerConnection == 0 || requests < requestsPerConnection;
        }
    }
}
