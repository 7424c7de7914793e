package io.broxy;

import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns accepted sockets into CONNECT tunnels (RFC 9110 section 9.3.6), or into connections of a forward proxy that
 * forwards plain HTTP as well (RFC 9110 section 7.6, RFC 9112).
 *
 * <p>Every method that takes a client's socket returns at once and takes the socket over with the call: whatever
 * happens, Broxy closes it. A {@link SocketChannel}, or a {@link Socket} that has one, is served by an event loop. A
 * socket without a channel (an {@code SSLSocket}, one accepted by a plain {@code ServerSocket}) is served by two threads
 * for as long as its tunnel lasts. The client is answered in HTTP/1.1: 200 when the tunnel stands, else an error with
 * {@code Proxy-Status} (RFC 9209), after which the connection is closed with time for the client to read it, unless it may
 * carry another request.
 *
 * <p>An {@code SSLSocket} knows no reset: the JDK ends its stream in order whenever it is closed, so to such a client a
 * stream that was cut looks complete. The other way round, it takes the end of TCP for the end of the stream unless the
 * system property {@code com.sun.net.ssl.requireCloseNotify} is true, which is advisable there. With TLS 1.2 a client that
 * ends its stream has closed the connection; only TLS 1.3 knows half-close.
 *
 * <p>A channel that is registered with a selector is misuse, an {@link IllegalStateException}, and stays untouched.
 *
 * <p>Threading: thread-safe; callers may be platform or virtual threads.
 */
public interface ProxyHandler extends ClientHandler, AutoCloseable {

    /**
     * Reads a CONNECT request from the client, dials its target, answers, and relays.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; given away with this call
     * @return the tunnel to come
     * @throws IllegalStateException if the channel is registered with a selector
     */
    Tunnel handleConnect(SocketChannel client);

    /**
     * Reads a CONNECT request from the client, dials its target, answers, and relays.
     *
     * @param client a connected socket; given away with this call
     * @return the tunnel to come
     * @throws IllegalStateException if the socket's channel is registered with a selector
     */
    Tunnel handleConnect(Socket client);

    /**
     * Serves a CONNECT whose head the host server has read: checks its credentials unless the host server has {@linkplain
     * ConnectRequest.Builder#authenticated done that}, dials, answers, and relays. A client without valid credentials gets 407,
     * and the tunnel ends with {@link CloseReason#REFUSED}.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; given away with this call
     * @param request what the host server has read from it
     * @return the tunnel to come
     * @throws IllegalStateException if the channel is registered with a selector
     */
    Tunnel handleConnect(SocketChannel client, ConnectRequest request);

    /**
     * Serves a CONNECT whose head the host server has read: checks its credentials unless the host server has {@linkplain
     * ConnectRequest.Builder#authenticated done that}, dials, answers, and relays. A client without valid credentials gets 407,
     * and the tunnel ends with {@link CloseReason#REFUSED}.
     *
     * @param client a connected socket; given away with this call
     * @param request what the host server has read from it
     * @return the tunnel to come
     * @throws IllegalStateException if the socket's channel is registered with a selector
     */
    Tunnel handleConnect(Socket client, ConnectRequest request);

    /**
     * Serves a client's whole connection: CONNECT becomes a tunnel, other requests with {@code http} URIs are forwarded, one
     * after another, and those to the proxy itself go to {@linkplain Builder#localRequests its own handler}. A connection that
     * the client and the origin of a request agree to upgrade (WebSocket) becomes a tunnel, too.
     *
     * <p>What two parsers could read differently is refused with 400 before a byte of it reaches an origin. A response is
     * written anew: what cannot be misread in it is normalised, anything else is answered with 502. Bodies stream with
     * back-pressure; a response that its origin cuts is cut to the client, and a request is sent a second time only if its
     * method is idempotent, it has no body, and no answer came over a connection that had been idle.
     *
     * <p>A login that is bound to a connection (RFC 4559 section 6) stays with the client's connection that made it: as soon as
     * a request's {@code Authorization} or a response's {@code WWW-Authenticate} names NTLM, Negotiate or another scheme that
     * is not known to speak for one request, the connection to the origin, or to the proxy on the way, serves this client's
     * requests to that origin only. It is closed with the client's connection at the latest, and the client's with it: behind
     * the response that is under way, which says {@code Connection: close} if it still can. A request that gets no response
     * over such a connection is not sent a second time; the client's connection ends without one, as the origin's did.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; given away with this call
     * @return the connection's handle, at once
     * @throws IllegalStateException if the channel is registered with a selector
     */
    ClientHandle handle(SocketChannel client);

    /**
     * Serves a client's whole connection: CONNECT becomes a tunnel, other requests with {@code http} URIs are forwarded, one
     * after another, and those to the proxy itself go to {@linkplain Builder#localRequests its own handler}. A connection that
     * the client and the origin of a request agree to upgrade (WebSocket) becomes a tunnel, too.
     *
     * <p>What two parsers could read differently is refused with 400 before a byte of it reaches an origin. A response is
     * written anew: what cannot be misread in it is normalised, anything else is answered with 502. Bodies stream with
     * back-pressure; a response that its origin cuts is cut to the client, and a request is sent a second time only if its
     * method is idempotent, it has no body, and no answer came over a connection that had been idle.
     *
     * @param client a connected socket; given away with this call
     * @return the connection's handle, at once
     * @throws IllegalStateException if the socket's channel is registered with a selector
     */
    ClientHandle handle(Socket client);

    /** Does the same as {@link #handle(SocketChannel)}, for a server that needs no handle. */
    @Override
    default void serve(SocketChannel client) {
        handle(client);
    }

    /**
     * Takes no new work from now on (new requests get 503) and waits until the running tunnels have ended. Those that
     * still run after the grace time are reset with {@link CloseReason#DRAINED}, and so are clients that have not sent
     * their request by then; one that is just being refused may read its answer. Blocks; must not be called on an event
     * loop.
     *
     * @param grace how long to wait; zero resets at once
     * @return true if all ended by themselves
     * @throws InterruptedException if the waiting thread is interrupted; the handler stays draining
     * @throws IllegalArgumentException if the grace time is negative
     */
    boolean drain(Duration grace) throws InterruptedException;

    /**
     * A snapshot of the tunnels that relay now, the oldest first: those of CONNECT and those that a request for another protocol
     * (WebSocket) became, whether their clients were handed over here or accepted by a {@code ProxyServer}. A tunnel that is
     * still being made is not in it, nor is one that has ended.
     *
     * <p>Each tunnel's figures are read on their own while it goes on. It takes no lock that relays need, and time in proportion to
     * the connections being served: it is for operators, not for each request.
     *
     * @return unmodifiable
     */
    List<ActiveTunnel> activeTunnels();

    /** A snapshot of the counters. */
    ProxyStats stats();

    /** Resets every connection that it serves, and each that is handed over later; repeated calls change nothing. */
    @Override
    void close();

    /** Collects the settings of a handler. Threading: for one thread. */
    interface Builder {

        /** Who opens connections to targets; default a {@link DirectDialer} with its defaults. */
        Builder dialer(Dialer dialer);

        /**
         * Which addresses clients may reach; default {@link AddressPolicy#publicOnly()}. It goes with each request to
         * the dialer, which asks it for each address just before connecting to it.
         * Whatever it admits, a handler does not dial an address and port at which its engine listens: each {@code ProxyServer},
         * and what the embedder has declared.
         */
        Builder addressPolicy(AddressPolicy policy);

        /**
         * Which requests are served; default {@link AccessPolicy#any()}. It is asked before any name is resolved; others get
         * 403.
         */
        Builder accessPolicy(AccessPolicy policy);

        /**
         * Authenticates clients; default none, and every client is served. A request that the host server has read is asked
         * about, too, unless it is {@linkplain ConnectRequest.Builder#authenticated vouched for}. Two {@code
         * Proxy-Authorization} lines are 400.
         *
         * <p>Password guessing is throttled, and the guesser's neighbours are not. Wrong credentials count by network (an
         * IPv4 address, of IPv6 a {@code /64}) and user, letter case aside:
         *
         * <ul>
         *   <li>After 5 wrong ones for a user from a network, further ones for that user from there wait for their turns, 250 ms
         *       apart at first and 8 s at last, over all connections. So do, after 10 wrong ones for all users of a network
         *       together, those for any user, up to 2 s apart; the first 5 of each user count for that. Whatever would wait for
         *       more than 10 s gets 429.
         *   <li>Credentials that were right within the last 10 minutes from that network never wait. They are checked each time.
         *   <li>The same wrong credentials count once, as long as they come again within 10 minutes, and do not wait: they get 407
         *       at once. The first 5 repetitions are checked, and later ones as seldom as a guess would be, at least every 8 s.
         *       The last 4 of each user are remembered, as keyed hashes.
         *   <li>Credentials that were right lately and are no longer do not count.
         *   <li>A success clears the failures of its user alone. 10 minutes without a failure clear them, too.
         *   <li>Until it is known, credentials count as if they were wrong: 5 different ones of a network are checked at a time,
         *       of the users in turn, and more as those are decided; the same ones on many connections at once are one. What has
         *       to wait for that as long as for an answer gets 503.
         * </ul>
         *
         * <p>The user is that of the Basic scheme; credentials of other schemes count as of a user each, and so by network.
         * Up to 8,192 networks, 32,768 users and 16,384 successes are kept, some 15 MB; what has a penalty is forgotten last.
         */
        Builder authenticator(Authenticator authenticator);

        /**
         * The time for the authenticator; default 10 s. Beyond it the client gets 503.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder authenticationTimeout(Duration timeout);

        /**
         * The time from the hand-over of a connection to the end of the request's head; default 10 s. A client that
         * sends slowly does not extend it.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder headTimeout(Duration timeout);

        /**
         * The time for dialing the target, name look-up included; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder dialTimeout(Duration timeout);

        /**
         * How long a tunnel may stand without a byte in either direction; default 5 min.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder idleTimeout(Duration timeout);

        /**
         * The idle time once one side has ended its stream; default 60 s, and never more than the idle time.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder halfCloseTimeout(Duration timeout);

        /**
         * How long one side of a tunnel may take nothing while bytes wait for it here, whatever the other direction does; default
         * 5 min. Beyond it both sides are reset, with {@link CloseReason#STALLED}. Of forwarded requests {@link #bodyTimeout}
         * says that.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder writeStallTimeout(Duration timeout);

        /**
         * How long a client's connection, and the tunnel that it became, may last, from its hand-over; default no limit. When it
         * is over a client that is between two requests is closed, any other is reset, with {@link CloseReason#EXPIRED}.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder maxLifetime(Duration lifetime);

        /**
         * How many bytes a second may be relayed for one client's connection in each direction; default no limit. What was not
         * used within the last second may be caught up on. The bodies of forwarded requests and whole responses count, too.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder rateLimit(long bytesPerSecond);

        /**
         * How many bytes a second may be relayed for all connections of one client together in each direction; default no
         * limit. A client is as in {@link #maxConnectionsPerClient}. Its connections have their turns one after another.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder rateLimitPerClient(long bytesPerSecond);

        /**
         * How many bytes a second may be relayed for all connections of one user together in each direction, from whatever
         * addresses; default no limit. A user is an identity as the {@link Authenticator} or the {@link ConnectRequest} names it;
         * requests without an identity are not limited by this. On a connection whose requests name different users each request
         * counts for its own.
         *
         * <p>The three rates hold side by side: a byte counts for each that is set, so the smallest decides. What reaches nobody,
         * because its receiver is gone, counts for none and waits for none. Memory is used for users with a connection.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder rateLimitPerIdentity(long bytesPerSecond);

        /**
         * How many bytes the head of a request may have, its empty line included; default 16 KiB. A longer one gets 431. The
         * request line may take all of it but 8 KiB, and half of a head of less than 16 KiB; a longer one gets 414 (RFC 9112
         * section 3). This is the most that is kept of a client's request before it is served. It says nothing about a head
         * that the host server has read.
         *
         * @throws IllegalArgumentException if it is not from 256 to 1,048,576
         */
        Builder maxHeadBytes(int max);

        /**
         * How many field lines a request may have; default 128. One that has more gets 431.
         *
         * @throws IllegalArgumentException if it is not from 1 to 10,000
         */
        Builder maxFields(int max);

        /**
         * How many bytes the head of an origin's response, or of one that the next proxy gives to a forwarded request, may
         * have; default 64 KiB. Where it has more, the client gets 502. Answers to CONNECT are held to the defaults.
         *
         * @throws IllegalArgumentException if it is not from 256 to 1,048,576
         */
        Builder maxResponseHeadBytes(int max);

        /**
         * How many field lines such a response may have; default 256. Where it has more, the client gets 502.
         *
         * @throws IllegalArgumentException if it is not from 1 to 10,000
         */
        Builder maxResponseFields(int max);

        /**
         * How long a client's connection may stand between two requests; default 60 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder keepAliveTimeout(Duration timeout);

        /**
         * How long an origin may take to answer a forwarded request, from the request's last byte to the head of the final
         * response, interim responses starting anew; default 60 s. Beyond it the client gets 504.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder responseTimeout(Duration timeout);

        /**
         * How long a forwarded request or response may stand still within its body, whichever side is slow; default 60 s.
         * A client whose body stops gets 408, a response that stops is cut.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder bodyTimeout(Duration timeout);

        /**
         * The pool of connections for forwarded requests; default one of the handler's own, which keeps up to 1,000 idle
         * connections, to one origin or to many, has a pool's defaults else, and is closed with the handler. A pool may be shared by handlers and dialers: connections that were opened under different
         * policies never mix. Those that a client has logged in stay leased until they end.
         *
         * @throws IllegalArgumentException if it was not made by Broxy
         */
        Builder connPool(ConnPool pool);

        /**
         * How the proxy calls itself in the {@code Via} that it adds to forwarded requests and responses (RFC 9110 section
         * 7.6.3), and by which it knows a request that comes back; default {@code broxy-} and eight random hexadecimal
         * digits for each handler. Of two proxies in a chain each needs its own.
         *
         * @param pseudonym a token, or null to add no {@code Via}, which leaves loops undetected
         * @throws IllegalArgumentException if it is no token
         */
        Builder viaPseudonym(@Nullable String pseudonym);

        /**
         * Who answers requests to the proxy itself; default nobody, and they get 400. They may be held up for
         * {@link #bodyTimeout} between the bytes of their bodies, as all requests, and are refused while the handler drains.
         */
        Builder localRequests(LocalRequestHandler handler);

        /**
         * The time for the handler of {@link #localRequests}; default 10 s. Beyond it the client gets 503.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder localRequestTimeout(Duration timeout);

        /**
         * How many clients' connections, and so tunnels, may be served at once; default 20,000. Beyond it clients get 503 with
         * {@code Retry-After}, 256 at once; who comes beyond that is closed.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxConnections(int max);

        /**
         * How many connections one client may have at once; default no limit. A client is an IPv4 address, or the {@code /64} of
         * an IPv6 address, which is what one customer is given. Beyond it a client gets 503 with {@code Retry-After}, on 8
         * connections at once; further ones are reset. Clients without an address (Unix domain sockets) are not counted.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxConnectionsPerClient(int max);

        /**
         * How many requests a client may send over one connection; default no limit. The answer to the last one says
         * {@code Connection: close}.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxRequestsPerConnection(int max);

        /**
         * The load balancers in front, whose connections begin with a header of the PROXY protocol, version 1 or 2, that names
         * the client; default none. The client's address is that one everywhere then: for policies, caps, penalties and
         * listeners; where the header names none (the balancer's own health checks), it is the connection's. A connection from
         * there without a valid header, all of which comes within {@link #headTimeout}, is cut without an answer, with {@link
         * RefusedException.Reason#PROXY_PROTOCOL}. From other addresses no header is expected, and a header is a bad request.
         *
         * <p>No header is expected of a client whose request the host server has read.
         *
         * @param trustedSenders replace those that were set before; whoever can connect from there can claim any address
         */
        Builder proxyProtocol(Cidr... trustedSenders);

        /**
         * How many clients without a channel (see {@link ProxyHandler}) may be served at once, each with two threads
         * at most; default 500. Beyond it they get 503. Tunnels whose dialer gives connections without a channel count, too;
         * where neither side has one, a tunnel takes four threads at most.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxStreamClients(int max);

        /** Who is told what happens; default nobody. One listener is told, which may tell others. */
        Builder listener(ProxyListener listener);

        /**
         * Whether the address policy only tells what it would refuse, and admits it: a trial before the policy is put into force.
         * Each address is told in a warning of the log, again after a while. Nothing else is relaxed: requests are still
         * refused by the access policy, and the handler does not dial itself. Default false.
         */
        Builder reportOnly(boolean reportOnly);

        /** The handler. */
        ProxyHandler build();
    }
}
