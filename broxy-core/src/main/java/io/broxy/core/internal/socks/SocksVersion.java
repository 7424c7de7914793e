package io.broxy.core.internal.socks;

/** The versions of SOCKS, which have different replies. Threading: immutable. */
public enum SocksVersion {
    /** SOCKS 4, and its extension 4a for names. */
    SOCKS4,
    /** SOCKS5 (RFC 1928). */
    SOCKS5
}
