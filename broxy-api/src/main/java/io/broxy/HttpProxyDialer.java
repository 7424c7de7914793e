package io.broxy;

import java.time.Duration;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Dials targets through an HTTP/1.1 proxy with CONNECT (RFC 9110 section 9.3.6).
 *
 * <p>A target's name goes to the proxy unresolved. Any 2xx answer opens the tunnel, whatever its framing fields say; interim
 * answers (1xx) are skipped; bytes that follow the answer are the first thing that the connection yields. Any other answer is
 * a {@link DialException} with {@link DialException.Reason#PROXY_REFUSED}, or {@link DialException.Reason#PROXY_AUTH} for 407 and
 * for 401 (some proxies answer wrong credentials with it), and {@link DialException#proxyReply()} holds it. An answer that is malformed or too long is
 * {@link DialException.Reason#PROTOCOL}, one that comes too late {@link DialException.Reason#TIMEOUT}. A refusal
 * counts from its head on: for the body, no more than 250 ms are waited.
 *
 * <p>Where a {@link ProxyHandler} dials with it, plain {@code http} requests need no tunnel: they go to the proxy itself in
 * absolute form (RFC 9112 section 3.2.2), over connections with the same {@link #hop()}, with the same credentials and fields.
 *
 * <p>One time-out covers everything: reaching the proxy, by whatever dialers, the TLS handshake with it, and its answer. A
 * request's {@link AddressPolicy} is asked for a literal target only, for where a name leads the proxy alone knows; it is not
 * applied to the proxy's own address.
 *
 * <p>Threading: immutable and thread-safe.
 */
public interface HttpProxyDialer extends Dialer {

    /**
     * Gives the value of {@code Proxy-Authorization} for a target, for schemes that Broxy does not know. Where the scheme logs
     * the connection in (Negotiate; RFC 4559 section 6), it serves one tunnel or, with plain {@code http}, one client of a
     * {@link ProxyHandler}.
     *
     * <p>Threading: thread-safe. It may block; it is never called on an event loop.
     */
    @FunctionalInterface
    interface Authorization {
        /**
         * The credentials for one request.
         *
         * @param target what is dialled
         * @return a field value (RFC 9110 section 5.5) without white space around it, or null for no such field. One with CR,
         *     LF, NUL or another control character fails the dial with {@link DialException.Reason#PROXY_AUTH}, and so does
         *     anything that is thrown; nothing is sent then.
         */
        @Nullable
        String authorize(HostPort target);
    }

    /**
     * Where this dialer's connections to the proxy lead, as a pool knows them: {@code pool.warm(dialer.hop(), 4)} keeps four
     * ready.
     */
    ConnPool.Key hop();

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /** Opens the connections to the proxy; default a {@link DirectDialer} with its defaults. Chains compose by it. */
        Builder over(Dialer dialer);

        /** Basic credentials (RFC 7617), sent with each request without being asked for. Replaces an {@link Authorization}. */
        Builder credentials(Credentials credentials);

        /** Asked for each request. Replaces {@link #credentials}. */
        Builder authorization(Authorization authorization);

        /**
         * Adds a header field to each request.
         *
         * @throws IllegalArgumentException if the name is no token, is one that Broxy writes itself ({@code Host},
         *     {@code Proxy-Authorization}) or frames a message ({@code Content-Length}, {@code Transfer-Encoding}), or the value
         *     has a control character or white space at its ends
         */
        Builder field(String name, String value);

        /**
         * Speaks TLS to the proxy (an {@code https} proxy). Its name is sent (SNI, RFC 6066 section 3) and verified as for
         * HTTPS (RFC 9110 section 4.3.4).
         */
        Builder tls(SSLContext context);

        /** The time of a dial whose request names none; default 10 s. */
        Builder timeout(Duration timeout);

        /**
         * Takes connections to the proxy from a pool: its {@linkplain ConnPool#warm warm} spares save the way to the proxy and
         * the TLS handshake, and a connection that is still usable after a refusal goes back to it. One that a login may be bound
         * to does not (NTLM, Negotiate and what is not known to speak for one request; RFC 4559 section 6): it is closed after
         * the refusal, as soon as the credentials or the proxy's challenges name such a scheme. Where a connection that was idle
         * gives no answer, what is none, or 408, a new one is opened for it, once, within the dial's time. By default each dial
         * opens its own.
         *
         * @throws IllegalArgumentException if the pool was not made by {@code Broxy}
         */
        Builder pool(ConnPool pool);

        /** The dialer. */
        HttpProxyDialer build();
    }
}
