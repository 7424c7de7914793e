package io.broxy.core.internal.socks;

/**
 * The constants of SOCKS5 (RFC 1928) and of its username/password authentication (RFC 1929). {@link SocksReply} has the reply
 * codes.
 *
 * <p>Threading: stateless.
 */
public final class Socks5 {
    /** The version byte of greetings, requests and replies. */
    public static final byte VERSION = 5;

    /** The version byte of the authentication messages (RFC 1929 section 2). */
    public static final byte AUTH_VERSION = 1;

    /** The method "no authentication required" (RFC 1928 section 3). */
    public static final byte NO_AUTHENTICATION = 0;

    /** The method "username/password". */
    public static final byte USER_AND_PASSWORD = 2;

    /** The reply if the server accepts none of the offered methods. */
    public static final int NO_ACCEPTABLE_METHOD = 0xff;

    /** The command that requests a tunnel (RFC 1928 section 4); the same in SOCKS 4. */
    public static final byte CONNECT = 1;

    /** The address type of an IPv4 address (RFC 1928 section 5). */
    public static final byte IPV4 = 1;

    /** The address type of a domain name, which follows a length byte. */
    public static final byte NAME = 3;

    /** The address type of an IPv6 address. */
    public static final byte IPV6 = 4;

    private Socks5() {}
}
