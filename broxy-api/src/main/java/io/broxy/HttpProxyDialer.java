package io.broxy;

import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Dials targets through an HTTP/1.1 proxy with CONNECT (RFC 9110 section 9.3.6).
 *
 * <p>The proxy receives the target's name unresolved. Any 2xx response opens the tunnel, whatever its framing fields
 * say; interim responses (1xx) are skipped; bytes that follow the response are the first ones read from the connection.
 * Any other response is a {@link DialException} with {@link DialException.Reason#PROXY_REFUSED}, or with {@link
 * DialException.Reason#PROXY_AUTH} for 407 and for 401 (some proxies send it for wrong credentials), and {@link
 * DialException#proxyReply()} holds the response. A malformed or oversized response is {@link
 * DialException.Reason#PROTOCOL}, a late one {@link DialException.Reason#TIMEOUT}. A refusal is complete with its head:
 * the dialer waits for the body for 250 ms at most.
 *
 * <p>When a {@link ProxyHandler} dials with it, plain {@code http} requests need no tunnel: they go to the proxy itself
 * in absolute form (RFC 9112 section 3.2.2), over connections with the same {@link #key()}, with the same credentials
 * and fields.
 *
 * <p>One timeout covers everything: reaching the proxy through whatever dialers, the TLS handshake with it, and its
 * response. The request's {@link AddressPolicy} applies to literal targets only, because only the proxy knows where a
 * name leads; it does not apply to the proxy's own address.
 *
 * <p>Threading: immutable and thread-safe.
 */
public interface HttpProxyDialer extends Dialer {

    /**
     * Returns the value of {@code Proxy-Authorization} for a target, for schemes that Broxy does not implement. If the
     * scheme authenticates the connection (Negotiate; RFC 4559 section 6), the connection serves one tunnel or, with
     * plain {@code http}, one client of a {@link ProxyHandler}.
     *
     * <p>Threading: thread-safe. It may block; it is never called on an event loop.
     */
    @FunctionalInterface
    interface Authorization {
        /**
         * The credentials for one request.
         *
         * @param target the target being dialed
         * @return a field value (RFC 9110 section 5.5) without white space around it, or null for no such field. A
         *     value with CR, LF, NUL or another control character fails the dial with {@link
         *     DialException.Reason#PROXY_AUTH}, and so does an exception; nothing is sent then.
         */
        @Nullable
        String authorize(HostPort target);
    }

    /**
     * The pool's key of this dialer's connections to the proxy: {@code pool.warm(dialer.key(), 4)} keeps four of them
     * ready.
     */
    ConnPool.Key key();

    /** The pool that connections to the proxy are leased from; null if each dial opens its own. */
    @Nullable
    ConnPool pool();

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Opens the connections to the proxy; default a {@link DirectDialer} with its defaults. Chains of proxies are
         * built with it.
         */
        Builder over(Dialer dialer);

        /**
         * Basic credentials (RFC 7617), sent with each request without waiting for a challenge. Replaces an {@link
         * Authorization}.
         */
        Builder credentials(Credentials credentials);

        /** Supplies the credentials of each request. Replaces {@link #credentials}. */
        Builder authorization(Authorization authorization);

        /**
         * Authenticates by challenge and response: {@link ProxyAuthentication#digest}, or a scheme of the user's. A
         * dial answers up to 8 challenges, all within its timeout, and fails with {@link
         * DialException.Reason#PROXY_AUTH} when it gives up. Replaces {@link #credentials} and {@link #authorization}.
         *
         * <p>A tunnel's legs use one connection as long as the proxy keeps it, and a new one after {@code Connection:
         * close}, a response of HTTP/1.0 or the end of the stream; where the scheme binds its legs to the connection
         * (NTLM, Negotiate) the dial fails instead. A forwarded request is sent once more to answer a challenge if it has no body,
         * or if at most 64 KiB of its body were read; otherwise the client gets 502.
         */
        Builder authentication(ProxyAuthentication authentication);

        /**
         * Adds a header field to each request.
         *
         * @throws IllegalArgumentException if the name is not a token, is one that Broxy writes itself ({@code Host},
         *     {@code Proxy-Authorization}) or frames a message ({@code Content-Length}, {@code Transfer-Encoding}), or
         *     the value has a control character or white space at its ends
         */
        Builder field(String name, String value);

        /**
         * Speaks TLS to the proxy (an {@code https} proxy). The proxy's name is sent (SNI, RFC 6066 section 3) and
         * verified as for HTTPS (RFC 9110 section 4.3.4).
         */
        Builder tls(SSLContext context);

        /**
         * Speaks TLS to the proxy with parameters that replace the defaults of {@link #tls(SSLContext)}: protocol
         * versions, cipher suites, application protocols (ALPN, RFC 7301), server names (SNI), endpoint identification,
         * algorithm constraints, and what newer JVMs have besides. Those for servers have no effect.
         *
         * <p>A null leaves the default: the context's versions and suites; the proxy's name as SNI, unless it is an
         * address; {@code HTTPS} as the endpoint identification algorithm. By default there is no ALPN. An empty list
         * of server names sends none; with other names the JDK accepts a certificate for them, too. An empty endpoint
         * identification algorithm accepts any certificate that the context trusts, whatever its name.
         *
         * @param parameters copied; later changes have no effect
         * @throws IllegalArgumentException if the context does not support a version or a cipher suite, or the
         *     application protocols include {@code h2}, which the dialer does not speak
         */
        Builder tls(SSLContext context, SSLParameters parameters);

        /** The timeout of a dial whose request has none; default 10 s. */
        Builder timeout(Duration timeout);

        /**
         * Takes connections to the proxy from a pool: its {@linkplain ConnPool#warm warm} spares save the connect and
         * the TLS handshake, and a connection that is still usable after a refusal goes back to it. A connection that a
         * login may be bound to does not go back (NTLM, Negotiate and any scheme not known to authenticate single
         * requests; RFC 4559 section 6): it is closed after the refusal, as soon as the credentials or the proxy's
         * challenges name such a scheme. If a connection that was idle yields no response, bytes that are no response,
         * or 408, a new one is opened in its place, once, within the dial's timeout. By default each dial opens its own
         * connection.
         *
         * @throws IllegalArgumentException if the pool was not made by {@code Broxy}
         */
        Builder pool(ConnPool pool);

        /** Builds the dialer. */
        HttpProxyDialer build();
    }
}
