package io.broxy;

import java.time.Duration;

/**
 * The limits of a {@link ProxyHandler}: how long, how large, how many and how fast. A builder of handlers has them beside its
 * other settings.
 *
 * <p>Threading: for one thread.
 *
 * @param <B> the builder, which each method returns
 */
public interface ProxyLimits<B extends ProxyLimits<B>> {

    // ------------------------------------------------------------------ how long

    /**
     * The time from the hand-over of a connection to the end of the request's head; default 10 s. A client that
     * sends slowly does not extend it.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B headTimeout(Duration timeout);

    /**
     * The time for the authenticator; default 10 s. After this time the client gets 503.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B authenticationTimeout(Duration timeout);

    /**
     * The time for a {@link ProxyHandler.Builder#blockingRequestFilter}; default 10 s. After this time the client gets 503.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B filterTimeout(Duration timeout);

    /**
     * The time for dialing the target, name lookup included; default 10 s.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B dialTimeout(Duration timeout);

    /**
     * How long a tunnel may be idle, without a byte in either direction; default 5 min.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B idleTimeout(Duration timeout);

    /**
     * The idle timeout once one side has ended its stream; default 60 s, and never more than the idle timeout.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B halfCloseTimeout(Duration timeout);

    /**
     * How long one side of a tunnel may accept no bytes while bytes wait for it here, regardless of the other
     * direction; default 5 min. After this time both sides are reset, with {@link CloseReason#STALLED}. For
     * forwarded requests, {@link #bodyTimeout} applies instead.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B writeStallTimeout(Duration timeout);

    /**
     * How long a client's connection, and the tunnel that it becomes, may last, from its hand-over; default no
     * limit. After this time a client between two requests is closed, and any other is reset, with {@link
     * CloseReason#EXPIRED}.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B maxLifetime(Duration lifetime);

    /**
     * How long a client's connection may be idle between two requests; default 60 s.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B keepAliveTimeout(Duration timeout);

    /**
     * The time for an origin's response to a forwarded request, from the request's last byte to the head of the
     * final response; default 60 s. Each interim response starts it anew. After this time the client gets 504.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B responseTimeout(Duration timeout);

    /**
     * How long the body of a forwarded request or response may stall, whichever side is slow; default 60 s. A
     * client whose body stalls gets 408; a response that stalls is truncated.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B bodyTimeout(Duration timeout);

    /**
     * The time for the handler of {@link ProxyHandler.Builder#localRequests}; default 10 s. After this time the client gets 503.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    B localRequestTimeout(Duration timeout);

    // ------------------------------------------------------------------ how large

    /**
     * The largest head of a request in bytes, its empty line included; default 16 KiB. A longer one gets 431. The
     * request line may take all of it but 8 KiB, or half of a head of less than 16 KiB; a longer line gets 414 (RFC
     * 9112 section 3). This bounds what is kept of a client's request before it is served. It does not apply to a
     * head that the host server has read.
     *
     * @throws IllegalArgumentException if it is not from 256 to 1,048,576
     */
    B maxHeadBytes(int max);

    /**
     * The most field lines of a request; default 128. A request with more gets 431.
     *
     * @throws IllegalArgumentException if it is not from 1 to 10,000
     */
    B maxFields(int max);

    /**
     * The largest head in bytes of a response to a forwarded request, from its origin or from the next proxy;
     * default 64 KiB. If the head is larger, the client gets 502. For responses to CONNECT the default always
     * applies.
     *
     * @throws IllegalArgumentException if it is not from 256 to 1,048,576
     */
    B maxResponseHeadBytes(int max);

    /**
     * The most field lines of such a response; default 256. If there are more, the client gets 502.
     *
     * @throws IllegalArgumentException if it is not from 1 to 10,000
     */
    B maxResponseFields(int max);

    // ------------------------------------------------------------------ how many

    /**
     * The most concurrent client connections, and so tunnels; default 20,000. Past this limit clients get 503 with
     * {@code Retry-After}, up to 256 at a time; further clients are closed without a response.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B maxConnections(int max);

    /**
     * The most concurrent connections of one client; default no limit. A client is an IPv4 address, or the {@code
     * /64} of an IPv6 address, which is what one customer is given. Past this limit a client gets 503 with {@code
     * Retry-After}, on up to 8 connections at a time; further ones are reset. Clients without an address (Unix
     * domain sockets) are not counted.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B maxConnectionsPerClient(int max);

    /**
     * The most TLS handshakes of clients under way at once; default 1,000. Past this limit clients with TLS are reset.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B maxTlsHandshakes(int max);

    /**
     * The most requests over one client connection; default no limit. The response to the last one says {@code
     * Connection: close}.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B maxRequestsPerConnection(int max);

    /**
     * The most concurrent clients without a channel (see {@link ProxyHandler}), each of which takes up to two
     * threads; default 500. Past this limit they get 503. Tunnels whose dialer returns connections without a
     * channel count, too; if neither side has one, a tunnel takes up to four threads.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B maxStreamClients(int max);

    // ------------------------------------------------------------------ how fast

    /**
     * How many bytes per second may be relayed for one client connection in each direction; default no limit.
     * Capacity that was not used within the last second may be caught up on. The bodies of forwarded requests and
     * whole responses count, too.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B rateLimit(long bytesPerSecond);

    /**
     * How many bytes per second may be relayed for all connections of one client together in each direction;
     * default no limit. {@link #maxConnectionsPerClient} defines a client. Its connections take turns.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B rateLimitPerClient(long bytesPerSecond);

    /**
     * How many bytes per second may be relayed for all connections of one user together in each direction, from any
     * address; default no limit. A user is an identity as the {@link Authenticator} or the {@link ConnectRequest}
     * names it; requests without an identity are not limited by this. On a connection whose requests name different
     * users, each request counts for its own.
     *
     * <p>All rates that are set apply side by side: a byte counts for each of them, so the smallest decides. Bytes
     * that are discarded because their receiver is gone count for no rate and wait for none. Memory is used for
     * users with an open connection only.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    B rateLimitPerIdentity(long bytesPerSecond);
}
