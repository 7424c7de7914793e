package io.broxy.core.internal.socks;

/**
 * The numbers of SOCKS5 (RFC 1928) and of its authentication with user name and password (RFC 1929). {@link SocksReply} has the
 * reply codes.
 *
 * <p>Threading: stateless.
 */
public final class Socks5 {
    /** The version that greetings, requests and replies begin with. */
    public static final byte VERSION = 5;

    /** The version that the messages of the authentication begin with (RFC 1929 section 2). */
    public static final byte AUTH_VERSION = 1;

    /** The method without authentication (RFC 1928 section 3). */
    public static final byte NO_AUTHENTICATION = 0;

    /** The method with user name and password. */
    public static final byte USER_AND_PASSWORD = 2;

    /** In place of a method: the server accepts none of those that are offered. */
    public static final int NO_ACCEPTABLE_METHOD = 0xff;

    /** The command that asks for a tunnel (RFC 1928 section 4); the same in SOCKS 4. */
    public static final byte CONNECT = 1;

    /** The type of an address of 4 bytes (RFC 1928 section 5). */
    public static final byte IPV4 = 1;

    /** The type of a name, whose length precedes it in one byte. */
    public static final byte NAME = 3;

    /** The type of an address of 16 bytes. */
    public static final byte IPV6 = 4;

    private Socks5() {}
}
