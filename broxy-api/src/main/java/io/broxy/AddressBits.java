package io.broxy;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * An IP address as two longs, so that checking one allocates nothing. An IPv4 address is held in its IPv4-mapped form
 * {@code ::ffff:a.b.c.d} (RFC 4291 §2.5.5.2), so the two forms are equal.
 *
 * <p>Threading: stateless.
 */
final class AddressBits {
    private static final long MAPPED = 0xffffL;

    private AddressBits() {}

    /** The upper half of an address of 4 or 16 bytes. */
    static long high(byte[] address) {
        return address.length == 4 ? 0 : longAt(address, 0);
    }

    /** The lower half of an address of 4 or 16 bytes. */
    static long low(byte[] address) {
        return address.length == 4 ? ipv4Low(intAt(address, 0)) : longAt(address, 8);
    }

    /** The lower half of an IPv4 address; its upper half is zero. */
    static long ipv4Low(int ipv4) {
        return MAPPED << 32 | (ipv4 & 0xffff_ffffL);
    }

    /** Whether the address is an IPv4 address, which is then in the lower 32 bits. */
    static boolean isIpv4(long high, long low) {
        return high == 0 && low >>> 32 == MAPPED;
    }

    /** The address for the JDK, with its own text as its name, so that no reverse lookup happens. */
    static InetAddress toInetAddress(String name, byte[] address) {
        try {
            return InetAddress.getByAddress(name, address);
        } catch (UnknownHostException e) {
            throw new AssertionError("an address has 4 or 16 bytes", e);
        }
    }

    private static long longAt(byte[] bytes, int at) {
        return (long) intAt(bytes, at) << 32 | (intAt(bytes, at + 4) & 0xffff_ffffL);
    }

    private static int intAt(byte[] bytes, int at) {
        return bytes[at] << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | (bytes[at + 3] & 0xff);
    }
}
