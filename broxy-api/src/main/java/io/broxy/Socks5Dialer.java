package io.broxy;

import java.time.Duration;

/**
 * Dials targets through a SOCKS5 proxy (RFC 1928), without authentication or with user name and password (RFC 1929).
 *
 * <p>The proxy receives the target's name unresolved. A refusal is a {@link DialException} whose
 * {@link DialException#proxyReply()} holds the reply code; its reason is
 *
 * <ul>
 *   <li>{@link DialException.Reason#PROXY_REFUSED} for 1 (general failure) and 2 (not allowed by the ruleset),
 *   <li>{@link DialException.Reason#UNREACHABLE} for 3 (network), 4 (host) and 6 (TTL expired),
 *   <li>{@link DialException.Reason#REFUSED} for 5 (connection refused),
 *   <li>{@link DialException.Reason#PROTOCOL} for 7 (command), 8 (address type) and codes that the RFC does not define,
 *   <li>{@link DialException.Reason#PROXY_AUTH} if the proxy accepts none of the offered methods, or rejects the
 *       password.
 * </ul>
 *
 * <p>One timeout covers everything: reaching the proxy through whatever dialers, and the handshake. The request's
 * {@link AddressPolicy} applies to literal targets only.
 *
 * <p>Threading: immutable and thread-safe.
 */
public interface Socks5Dialer extends Dialer {

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Opens the connections to the proxy; default a {@link DirectDialer} with its defaults. Chains of proxies are
         * built with it.
         */
        Builder over(Dialer dialer);

        /**
         * User name and password, offered beside "no authentication".
         *
         * @throws IllegalArgumentException if one is more than 255 bytes of UTF-8 long, or the user name is empty (RFC
         *     1929 section 2); an empty password is sent as such
         */
        Builder credentials(Credentials credentials);

        /** The timeout of a dial whose request has none; default 10 s. */
        Builder timeout(Duration timeout);

        /** Builds the dialer. */
        Socks5Dialer build();
    }
}
