package io.broxy;

import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Serves client connections: as CONNECT tunnels (RFC 9110 section 9.3.6), or as connections of a forward proxy that
 * forwards plain HTTP as well (RFC 9110 section 7.6, RFC 9112).
 *
 * <p>Every method that takes a client's socket returns at once and takes ownership with the call: whatever happens,
 * Broxy closes the socket. An event loop serves a {@link SocketChannel}, or a {@link Socket} that has one. Two threads
 * serve a socket without a channel (an {@code SSLSocket}, or one accepted by a plain {@code ServerSocket}) for as long
 * as its tunnel lasts. The client is answered in HTTP/1.1: with 200 when the tunnel is open, or else with an error that
 * carries {@code Proxy-Status} (RFC 9209). After an error the connection is closed, with time for the client to read
 * the response, unless the connection may carry another request.
 *
 * <p>An {@code SSLSocket} cannot be reset: the JDK ends its stream in order whenever it is closed, so a truncated
 * stream looks complete to such a client. In the other direction, the JDK takes the end of TCP for the end of the
 * stream unless the system property {@code com.sun.net.ssl.requireCloseNotify} is true, which is advisable there. With
 * TLS 1.2, a client that ends its stream has closed the connection; only TLS 1.3 supports half-close.
 *
 * <p>Passing a channel that is registered with a selector is misuse: it throws {@link IllegalStateException} and leaves
 * the channel untouched.
 *
 * <p>Broxy implements this interface, and may add methods to it. Code of your own that serves clients implements {@link
 * ClientHandler}.
 *
 * <p>Threading: thread-safe; callers may be platform or virtual threads.
 */
public interface ProxyHandler extends ClientHandler, AutoCloseable {

    /**
     * Reads a CONNECT request from the client, dials its target, sends the response, and relays.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; owned by Broxy from now
     *     on
     * @return the tunnel's handle, at once
     * @throws IllegalStateException if the channel is registered with a selector
     */
    Tunnel handleConnect(SocketChannel client);

    /**
     * Reads a CONNECT request from the client, dials its target, sends the response, and relays.
     *
     * @param client a connected socket; owned by Broxy from now on
     * @return the tunnel's handle, at once
     * @throws IllegalStateException if the socket's channel is registered with a selector
     */
    Tunnel handleConnect(Socket client);

    /**
     * Serves a CONNECT whose head the host server has read: checks its credentials unless the host server has
     * {@linkplain ConnectRequest.Builder#authenticated done that}, dials, sends the response, and relays. A client
     * without valid credentials gets 407, and the tunnel ends with {@link CloseReason#REFUSED}.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; owned by Broxy from now
     *     on
     * @param request what the host server has read from the client
     * @return the tunnel's handle, at once
     * @throws IllegalStateException if the channel is registered with a selector
     */
    Tunnel handleConnect(SocketChannel client, ConnectRequest request);

    /**
     * Serves a CONNECT whose head the host server has read: checks its credentials unless the host server has
     * {@linkplain ConnectRequest.Builder#authenticated done that}, dials, sends the response, and relays. A client
     * without valid credentials gets 407, and the tunnel ends with {@link CloseReason#REFUSED}.
     *
     * @param client a connected socket; owned by Broxy from now on
     * @param request what the host server has read from the client
     * @return the tunnel's handle, at once
     * @throws IllegalStateException if the socket's channel is registered with a selector
     */
    Tunnel handleConnect(Socket client, ConnectRequest request);

    /**
     * Opens a tunnel for a host server that answers its client itself, or keeps the client's TLS: decides about a CONNECT as
     * {@link #handleConnect(SocketChannel, ConnectRequest)} does (limits, credentials, policies, filters), dials its target, and
     * completes with the response that the host server writes. Behind a response that is {@linkplain ConnectResponse#isOpen
     * open}, {@link ConnectResponse#relay} continues with the client. The client counts as a connection of this handler from
     * this call to the end of the tunnel, and in all records it looks as if it had been handed over.
     *
     * <p>The host server has to call {@link ConnectResponse#relay} or {@link ConnectResponse#close} within {@link
     * Builder#headTimeout} of the completion; after this time the tunnel ends with {@link CloseReason#IDLE}, and the connection
     * to the target is reset.
     *
     * <p>The future never completes exceptionally: each refusal and each failure is a response. A tunnel that ends before there
     * is one, such as when the handler closes, completes it with 503. Canceling the future ends the dial, and the tunnel with
     * {@link CloseReason#CLOSED}: for a client that has gone, for example. Dependents run off the event loops.
     *
     * @param request what the host server has read from the client
     * @param client the client's address, for limits, policies, the throttling of password guesses, and records; {@linkplain
     *     Builder#proxyProtocol trusted senders} make no difference. A PROXY header that is sent to the target has no addresses, since
     *     the client's connection is not known yet
     * @throws IllegalArgumentException if the address is unresolved
     */
    CompletableFuture<ConnectResponse> open(ConnectRequest request, SocketAddress client);

    /**
     * Serves a client's whole connection. CONNECT becomes a tunnel; other requests with {@code http} URIs are
     * forwarded, one after another; requests to the proxy itself go to the {@linkplain Builder#localRequests local
     * request handler}. A connection that the client and the origin agree to upgrade (WebSocket) also becomes a tunnel.
     *
     * <p>A request that two parsers could read differently is refused with 400 before a byte of it reaches an origin. A
     * response is written anew: what cannot be misread is normalized, anything else is answered with 502. Bodies stream
     * with back-pressure. A response that its origin truncates is truncated to the client, too. A request is sent a
     * second time only if its method is idempotent, it has no body, and no response came over a connection that had
     * been idle.
     *
     * <p>A login that is bound to a connection (RFC 4559 section 6) stays with the client connection that made it. As
     * soon as a request's {@code Authorization} or a response's {@code WWW-Authenticate} names NTLM, Negotiate or any
     * other scheme that is not known to authenticate single requests, the connection to the origin, or to the next
     * proxy, serves only this client's requests to that origin. It closes with the client's connection at the latest,
     * and the client's connection closes with it: after the response in progress, which says {@code Connection: close}
     * if it still can. A request that gets no response over such a connection is not sent a second time; the client's
     * connection ends without a response, as the origin's did.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; owned by Broxy from now
     *     on
     * @return the connection's handle, at once
     * @throws IllegalStateException if the channel is registered with a selector
     */
    ClientHandle handle(SocketChannel client);

    /**
     * Serves a client's whole connection, as {@link #handle(SocketChannel)} does.
     *
     * @param client a connected socket; owned by Broxy from now on
     * @return the connection's handle, at once
     * @throws IllegalStateException if the socket's channel is registered with a selector
     */
    ClientHandle handle(Socket client);

    /**
     * Serves a client's whole connection, as {@link #handle(SocketChannel)} does, whose first bytes the host server has
     * read: to tell by them which of its protocols the client speaks, for example.
     *
     * @param client a connected channel in either blocking mode, registered with no selector; owned by Broxy from now
     *     on
     * @param alreadyRead what was read from the client, from the first byte on; copied before this returns
     * @return the connection's handle, at once
     * @throws IllegalStateException if the channel is registered with a selector
     */
    ClientHandle handle(SocketChannel client, ByteBuffer alreadyRead);

    /**
     * Returns this handler as clients with TLS reach it. One handler may have several, with different certificates, and
     * serve clients without TLS as well.
     *
     * <p>The handshake has the time of {@link Builder#headTimeout}, which it shares with the first request's head. A
     * {@linkplain Builder#proxyProtocol PROXY header} comes before it. A plain HTTP request instead of TLS gets 400,
     * and the connections of other clients that fail are closed, with {@link RefusedException.Reason#TLS}.
     */
    TlsFrontend overTls(ServerTls tls);

    /**
     * Returns this handler as clients reach it that know of no proxy, for a port that leads to one target ({@code ssh
     * -L}): each connection becomes a tunnel to the target, and nothing but the target's bytes is written to it. One
     * handler may have several.
     *
     * <p>The access policy and the address policy decide as for a CONNECT without fields or credentials. The {@linkplain
     * Builder#authenticator authenticator} is not asked, because such a client cannot log in: every client that reaches
     * the port is served unless the access policy refuses it. All limits, timeouts, counters and listeners are this
     * handler's; {@linkplain Builder#proxyProtocol trusted senders} begin with a PROXY header here, too. A client that
     * is refused, or whose target cannot be reached, is reset.
     *
     * @param target dialed anew for each client, by name if it has one
     */
    ClientHandler tunnelTo(HostPort target);

    /** Does the same as {@link #handle(SocketChannel)}, for a server that needs no handle. */
    @Override
    default void serve(SocketChannel client) {
        handle(client);
    }

    /**
     * Refuses new work from now on (new requests get 503) and waits until the running tunnels have ended. Tunnels that
     * still run after the grace time are reset with {@link CloseReason#DRAINED}, and so are clients that have not sent
     * their request by then; a client that is being refused may still read its response. Blocks; must not be called on
     * an event loop.
     *
     * @param grace how long to wait; zero resets at once
     * @return true if all tunnels ended by themselves
     * @throws InterruptedException if the waiting thread is interrupted; the handler keeps draining
     * @throws IllegalArgumentException if the grace time is negative
     */
    boolean drain(Duration grace) throws InterruptedException;

    /**
     * A snapshot of the open tunnels, oldest first: CONNECT tunnels and upgraded connections (WebSocket), whether their
     * clients were handed over here or accepted by a {@code ProxyServer}. Tunnels that are still being established, or
     * that have ended, are not included.
     *
     * <p>The figures of each tunnel are read separately while the tunnel continues. The call takes no lock that relays
     * need, and time proportional to the number of connections being served: it is for operators, not for each request.
     *
     * @return unmodifiable
     */
    List<ActiveTunnel> activeTunnels();

    /** A snapshot of the counters. */
    ProxyStats stats();

    /**
     * Says what this handler would do with a request, without dialing and without a name lookup. Limits, the throttling of password
     * guesses and a drain are not considered, and no filter is asked.
     *
     * @param request names the target; without an identity, the client has not logged in
     * @throws IllegalStateException if the request has no target
     */
    Explanation explain(AccessRequest request);

    /** Resets every connection being served, and each one handed over later; repeated calls change nothing. */
    @Override
    void close();

    /** Collects the settings of a handler; its limits are those of {@link ProxyLimits}. Threading: for one thread. */
    interface Builder extends ProxyLimits<Builder> {

        /** Opens connections to targets; default a {@link DirectDialer} with its defaults. */
        Builder dialer(Dialer dialer);

        /**
         * Which addresses clients may reach; default {@link AddressPolicy#publicOnly()}. The policy goes with each
         * request to the dialer, which checks each address just before connecting to it. Whatever the policy admits, a
         * handler never dials an address and port on which its engine listens: those of each {@code ProxyServer}, and
         * the listeners that the embedder has declared.
         */
        Builder addressPolicy(AddressPolicy policy);

        /**
         * Which requests are served; default {@link AccessPolicy#any()}. The policy decides before any name is
         * resolved; refused requests get 403.
         */
        Builder accessPolicy(AccessPolicy policy);

        /**
         * Authenticates clients; by default there is no authenticator, and every client is served. It also checks
         * requests that the host server has read, unless the host server {@linkplain
         * ConnectRequest.Builder#authenticated vouches for them}. A request with two {@code Proxy-Authorization} lines
         * gets 400.
         *
         * <p>Password guessing is throttled, without harm to other clients behind the same address. Wrong credentials
         * count by network (an IPv4 address, or an IPv6 {@code /64}) and by user, ignoring case:
         *
         * <ul>
         *   <li>After 5 wrong attempts for a user from a network, further attempts for that user from there wait for
         *       their turns across all connections: 250 ms apart at first, and up to 8 s apart. After 10 wrong attempts
         *       for all users of a network together, attempts for any user wait as well, up to 2 s apart; the first 5
         *       of each user count towards these 10. An attempt that would wait for more than 10 s gets 429.
         *   <li>Credentials that were right within the last 10 minutes from that network never wait. They are checked
         *       each time.
         *   <li>The same wrong credentials count once as long as they come again within 10 minutes, and do not wait:
         *       they get 407 at once. The first 5 repetitions are checked, and later ones as rarely as a guess would
         *       be, but at least every 8 s. The last 4 wrong credentials of each user are remembered, as keyed hashes.
         *   <li>Credentials that were right recently and are no longer right do not count.
         *   <li>A success clears the failures of its user alone. 10 minutes without a failure clear them, too.
         *   <li>Until they are checked, credentials count as wrong: 5 different ones of a network are checked at a
         *       time, with its users taking turns, and more as those are decided. The same credentials on many
         *       connections at once count as one. An attempt that waits for this as long as {@link
         *       #authenticationTimeout} allows gets 503.
         * </ul>
         *
         * <p>The user is that of the Basic scheme; credentials of other schemes count as one user each, and so by
         * network. Up to 8,192 networks, 32,768 users and 16,384 successes are kept, in about 15 MB; entries with a
         * penalty are forgotten last.
         */
        Builder authenticator(Authenticator authenticator);

        /**
         * Whether clients log in at upstream HTTP proxies themselves; default false. If so, a client's {@code
         * Proxy-Authorization} goes to the upstream proxy, whose 407 comes back with its {@code Proxy-Authenticate}, for
         * CONNECT and for forwarded requests. From then on this connection to the upstream proxy serves the client's
         * connection alone, for all of its targets, and is never pooled. With schemes that log a connection in (NTLM,
         * Negotiate and all that are not known to authenticate single requests; RFC 4559 section 6) both end together.
         *
         * <p>It concerns upstream proxies for which the dialer has no credentials of its own; only these receive what
         * clients send, and each of them does. Through others, over SOCKS and directly, credentials go no further and a
         * 407 becomes 502, as by default. So it is for requests that the host server has read. It excludes an {@link
         * #authenticator}. A request with two {@code Proxy-Authorization} lines gets 400.
         *
         * <p>Until its tunnel is open, a CONNECT through such a proxy counts as an exchange, and its response may take as
         * long as the dial, {@link #dialTimeout}.
         */
        Builder passProxyAuthentication(boolean pass);

        /**
         * Decides about each request that is allowed, before anything is dialed; none by default. There is one request filter:
         * this replaces another one, and so does {@link #blockingRequestFilter}.
         *
         * @param filter must not block
         */
        Builder requestFilter(RequestFilter filter);

        /**
         * As {@link #requestFilter}, with a filter that may block: it runs on the callback executor, and has the time of {@link
         * #filterTimeout}. After this time the client gets 503.
         */
        Builder blockingRequestFilter(RequestFilter filter);

        /** Decides about each response to a forwarded request before it is written; none by default. */
        Builder responseFilter(ResponseFilter filter);

        /**
         * What becomes of {@code Forwarded} (RFC 7239) in forwarded requests; default {@link ForwardedMode#PASS}. This proxy's
         * element has the client's address only, such as {@code for=192.0.2.43} or {@code for="[2001:db8::17]"}, as a PROXY
         * header announces it if there is one; {@code for=unknown} if the client has none. The changes of a {@link RequestFilter}
         * come after this one.
         */
        Builder forwarded(ForwardedMode mode);

        /**
         * What becomes of {@code X-Forwarded-For} in forwarded requests, as for {@link #forwarded}; default {@link
         * ForwardedMode#PASS}. The values are addresses, in one list: {@code 192.0.2.43, 2001:db8::17}.
         */
        Builder xForwardedFor(ForwardedMode mode);

        /**
         * The pool of connections for forwarded requests. By default the handler has its own, which keeps up to 1,000
         * idle connections, to one origin or to many, has the defaults of a pool otherwise, and is closed with the
         * handler. Handlers and dialers may share a pool: connections that were opened under different policies never
         * mix. Connections that a client has logged in stay leased until they end.
         *
         * @throws IllegalArgumentException if the pool was not made by Broxy
         */
        Builder connPool(ConnPool pool);

        /**
         * The proxy's name in the {@code Via} that it adds to forwarded requests and responses (RFC 9110 section
         * 7.6.3), by which it detects a request that comes back; default {@code broxy-} and eight random hexadecimal
         * digits for each handler. Each proxy in a chain needs its own.
         *
         * @param pseudonym a token, or null to add no {@code Via}, which leaves loops undetected
         * @throws IllegalArgumentException if it is not a token
         */
        Builder viaPseudonym(@Nullable String pseudonym);

        /**
         * Answers requests to the proxy itself; without a handler they get 400. As for all requests, the bytes of their
         * bodies may stall for {@link #bodyTimeout}, and they are refused while the handler drains.
         */
        Builder localRequests(LocalRequestHandler handler);

        /**
         * The load balancers in front, whose connections begin with a header of the PROXY protocol, version 1 or 2,
         * that names the client; default none. The address in the header is then the client's address everywhere: for
         * policies, caps, penalties and listeners. If the header names none (the balancer's own health checks), the
         * connection's address is used. A connection from a balancer without a complete and valid header within {@link
         * #headTimeout} is closed without a response, with {@link RefusedException.Reason#PROXY_PROTOCOL}. From other
         * addresses no header is expected, and a header is a bad request.
         *
         * <p>No header is expected of a client whose request the host server has read.
         *
         * @param trustedSenders replace those that were set before; every host that can connect from these addresses
         *     can claim any client address
         */
        Builder proxyProtocol(Cidr... trustedSenders);

        /**
         * Whether clients may speak SOCKS in place of HTTP; default false. The first byte of a client tells: 5 is SOCKS5
         * (RFC 1928), 4 is SOCKS 4 or 4a, and everything else is HTTP. It holds wherever Broxy reads the request, for
         * {@link ProxyHandler#handleConnect(SocketChannel)} too, and behind TLS and a PROXY header.
         *
         * <p>A SOCKS client may CONNECT; BIND and UDP ASSOCIATE are refused. Its tunnel is like one of HTTP in every
         * respect: for policies, limits, timeouts, listeners and counters, where its method is {@code CONNECT} and its
         * status the one that HTTP has for the same outcome. With an {@linkplain #authenticator authenticator}, user name
         * and password (RFC 1929) are checked as credentials of the Basic scheme, before the target is {@linkplain
         * AccessRequest#hasTarget known}; SOCKS 4, which has no password, is refused. A client whose {@linkplain
         * ServerTls certificate} gives it an identity needs no password. A client that is refused because of a limit
         * keeps its connection until it has made its request, for 2 s at most and no longer than {@link #headTimeout}.
         */
        Builder socks(boolean socks);

        /** Receives events; none by default. A handler has one listener, which may pass events on to others. */
        Builder listener(ProxyListener listener);

        /**
         * Whether the address policy only reports what it would refuse, and admits it: a trial before the policy is
         * enforced. Each address is reported in a warning of the log, and again after a while. Nothing else is relaxed:
         * the access policy still refuses requests, and the handler does not dial itself. Default false.
         */
        Builder reportOnly(boolean reportOnly);

        /**
         * Builds the handler.
         *
         * @throws IllegalStateException if there is an authenticator and {@link #passProxyAuthentication} is set
         */
        ProxyHandler build();
    }
}
