package io.broxy.core.internal.socks;

import io.broxy.HostPort;

/** A message of a client. SOCKS5 clients send them in this order, SOCKS 4 clients send only the last. Threading: immutable. */
public sealed interface SocksMessage {

    /**
     * The authentication methods that the client offers (RFC 1928 section 3), reduced to the chosen one. The reply is {@link
     * SocksWriter#method}.
     *
     * @param method {@link Socks5#NO_AUTHENTICATION} or {@link Socks5#USER_AND_PASSWORD}
     */
    record Greeting(byte method) implements SocksMessage {}

    /**
     * User name and password (RFC 1929). The reply, once the credentials are checked, is {@link SocksWriter#authentication}.
     *
     * @param authorization both in the form of a {@code Proxy-Authorization} with HTTP's Basic scheme (RFC 7617). It is a
     *     secret
     */
    record Login(String authorization) implements SocksMessage {
        /** Does not reveal the secret. */
        @Override
        public String toString() {
            return "Login";
        }
    }

    /**
     * The request for a tunnel (RFC 1928 section 4). The reply is {@link SocksWriter#reply}.
     *
     * @param target the target; an address in the form of a name counts as an address
     */
    record Connect(SocksVersion version, HostPort target) implements SocksMessage {}
}
