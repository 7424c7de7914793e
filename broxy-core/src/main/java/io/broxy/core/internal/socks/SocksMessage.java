package io.broxy.core.internal.socks;

import io.broxy.HostPort;

/** What a client says, in this order; a client of SOCKS 4 says the last only. Threading: immutable. */
public sealed interface SocksMessage {

    /**
     * The methods of authentication that the client offers (RFC 1928 section 3), one of which is chosen by now. Its answer is
     * {@link SocksWriter#method}.
     *
     * @param method {@link Socks5#NO_AUTHENTICATION} or {@link Socks5#USER_AND_PASSWORD}
     */
    record Greeting(byte method) implements SocksMessage {}

    /**
     * User name and password (RFC 1929). Its answer is {@link SocksWriter#authentication}, once it is known.
     *
     * @param authorization both as the Basic scheme of HTTP has them in a {@code Proxy-Authorization} (RFC 7617). It is a secret
     */
    record Login(String authorization) implements SocksMessage {
        /** Shows nothing of the secret. */
        @Override
        public String toString() {
            return "Login";
        }
    }

    /**
     * The request for a tunnel (RFC 1928 section 4). Its answer is {@link SocksWriter#reply}.
     *
     * @param target the target; an address in the place of a name is an address
     */
    record Connect(SocksVersion version, HostPort target) implements SocksMessage {}
}
