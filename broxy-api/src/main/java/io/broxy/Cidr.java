package io.broxy;

import java.net.InetAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A block of IP addresses that begin with the same bits (RFC 4632 §3.1, RFC 4291 §2.3).
 *
 * <p>IPv4 and IPv6 are separate: {@code ::/0} contains no IPv4 address. An IPv4-mapped IPv6 address counts as its IPv4
 * address, also in a block's text: {@code ::ffff:10.0.0.0/104} is {@code 10.0.0.0/8}.
 *
 * <p>Threading: immutable.
 */
public final class Cidr {
    private static final int MAPPED_BITS = 96;

    private final long high;
    private final long low;
    private final int bits; // of the 128; an IPv4 block has 96 more than it shows

    private Cidr(long high, long low, int bits) {
        this.high = high;
        this.low = low;
        this.bits = bits;
    }

    /**
     * Reads {@code 10.0.0.0/8}, {@code 2001:db8::/32}, or a single address, which is a block of one. The prefix length
     * is a decimal number without leading zeros, at most 32 for IPv4 and 128 for IPv6. Addresses are written as in
     * {@link HostPort}.
     *
     * @throws IllegalArgumentException if it is not a block, or if bits after the prefix are set, as in
     *     {@code 10.1.2.3/8}; the message is one line of printable ASCII and names the block that was probably meant
     */
    public static Cidr parse(String text) {
        Cidr block = masked(text);
        byte[] address = Objects.requireNonNull(addressOf(text));
        if (block.high != AddressBits.high(address) || block.low != AddressBits.low(address)) {
            throw refused(text, "bits after the prefix are set; " + block + " was probably meant");
        }
        return block;
    }

    /**
     * Reads what {@link #parse} reads, and clears bits after the prefix: {@code 10.1.2.3/8} is {@code 10.0.0.0/8}.
     *
     * @throws IllegalArgumentException if it is not a block; the message is one line of printable ASCII
     */
    static Cidr masked(String text) {
        byte[] address = addressOf(text);
        if (address == null) {
            throw refused(text, "not an IP address");
        }
        int slash = text.indexOf('/');
        int most = address.length * 8;
        int length = slash < 0 ? most : parseLength(text, slash + 1, most);
        int bits = address.length == 4 ? length + MAPPED_BITS : length;
        return around(AddressBits.high(address), AddressBits.low(address), bits);
    }

    private static byte @Nullable [] addressOf(String text) {
        int slash = text.indexOf('/');
        return AddressText.parse(text, 0, slash < 0 ? text.length() : slash);
    }

    /** The block of the addresses that begin with the same bits as this one, as {@link AddressBits} holds it. */
    static Cidr around(long high, long low, int bits) {
        return new Cidr(high & highMask(bits), low & lowMask(bits), bits);
    }

    /** Whether the address lies in this block. */
    public boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        return contains(AddressBits.high(bytes), AddressBits.low(bytes));
    }

    /** Whether the address, as {@link AddressBits} holds it, lies in this block. */
    boolean contains(long addressHigh, long addressLow) {
        return ((addressHigh ^ high) & highMask(bits)) == 0
                && ((addressLow ^ low) & lowMask(bits)) == 0
                && (bits >= MAPPED_BITS || !AddressBits.isIpv4(addressHigh, addressLow));
    }

    /** The prefix length: 0 to 32 for a block of IPv4 addresses, 0 to 128 for IPv6. */
    int prefixLength() {
        return isIpv4() ? bits - MAPPED_BITS : bits;
    }

    /** How many of the 128 bits of {@link AddressBits} are the same; 96 more than the prefix length for IPv4. */
    int bits() {
        return bits;
    }

    /** Whether this is a block of IPv4 addresses. */
    boolean isIpv4() {
        return AddressBits.isIpv4(high, low);
    }

    /** The upper half of the first address. */
    long high() {
        return high;
    }

    /** The lower half of the first address. */
    long low() {
        return low;
    }

    /** Whether the first address of this block comes after the given one. */
    boolean beginsBehind(long addressHigh, long addressLow) {
        int order = Long.compareUnsigned(high, addressHigh);
        return order > 0 || (order == 0 && Long.compareUnsigned(low, addressLow) > 0);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Cidr that && high == that.high && low == that.low && bits == that.bits;
    }

    @Override
    public int hashCode() {
        return (Long.hashCode(high) * 31 + Long.hashCode(low)) * 31 + bits;
    }

    /** The block as {@link #parse} reads it, its address in canonical form; a single address ends in /32 or /128. */
    @Override
    public String toString() {
        return AddressText.format(high, low) + "/" + prefixLength();
    }

    private static int parseLength(String text, int from, int most) {
        int digits = text.length() - from;
        boolean plain = digits >= 1 && digits <= 3 && (digits == 1 || text.charAt(from) != '0');
        int length = 0;
        for (int i = from; plain && i < text.length(); i++) {
            char c = text.charAt(i);
            plain = c >= '0' && c <= '9';
            length = length * 10 + (c - '0');
        }
        if (!plain || length > most) {
            throw refused(text, "the prefix length is not a plain number of 0 to " + most);
        }
        return length;
    }

    private static long highMask(int bits) {
        return bits == 0 ? 0 : -1L << (bits < 64 ? 64 - bits : 0);
    }

    private static long lowMask(int bits) {
        return bits <= 64 ? 0 : -1L << (128 - bits);
    }

    private static IllegalArgumentException refused(String text, String problem) {
        return new IllegalArgumentException("not a block of addresses: " + Printable.quote(text) + ": " + problem);
    }
}
