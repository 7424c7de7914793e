package io.broxy;

/**
 * The places of IPv6 addresses that hold an IPv4 address to which a translator or a tunnel on the way may deliver. (The
 * IPv4-mapped form is not among them: {@link AddressBits} takes it for IPv4.) An address may have several.
 *
 * <p>Threading: immutable.
 */
enum EmbeddedAddresses {
    /** {@code ::a.b.c.d}, deprecated. */
    IPV4_COMPATIBLE("IPv4-compatible (RFC 4291 §2.5.5.1)"),
    /** {@code 64:ff9b::a.b.c.d}. */
    NAT64("NAT64 (RFC 6052)"),
    /** {@code 64:ff9b:1::/48}, read as its commonest use, a prefix of 96 bits out of it. */
    LOCAL_NAT64("local-use NAT64 (RFC 8215)"),
    /** {@code 2002:aabb:ccdd::/48}. */
    SIX_TO_FOUR("6to4 (RFC 3056)"),
    /** The server in {@code 2001:0:server:server:flags:port:client:client}. */
    TEREDO_SERVER("Teredo (RFC 4380)"),
    /** The client in a Teredo address, every bit of it flipped. */
    TEREDO_CLIENT("Teredo (RFC 4380)"),
    /** An interface id of {@code 0:5efe:a.b.c.d} or {@code 200:5efe:a.b.c.d} behind any prefix. */
    ISATAP("ISATAP (RFC 5214)");

    private final String text;

    EmbeddedAddresses(String text) {
        this.text = text;
    }

    /** Whether an address, as {@link AddressBits} holds it, has this place. */
    boolean isIn(long high, long low) {
        return switch (this) {
            case IPV4_COMPATIBLE -> high == 0 && low >>> 32 == 0 && low > 1; // :: and ::1 are none
            case NAT64 -> high == 0x0064_ff9b_0000_0000L && low >>> 32 == 0;
            case LOCAL_NAT64 -> high >>> 16 == 0x0064_ff9b_0001L;
            case SIX_TO_FOUR -> high >>> 48 == 0x2002;
            case TEREDO_SERVER, TEREDO_CLIENT -> high >>> 32 == 0x2001_0000L;
            case ISATAP -> (low >>> 32 & ~0x0200_0000L) == 0x5efe;
        };
    }

    /** The lower half, as {@link AddressBits} holds it, of the IPv4 address at this place; its upper half is zero. */
    long low(long high, long low) {
        return AddressBits.ipv4Low(
                switch (this) {
                    case IPV4_COMPATIBLE, NAT64, LOCAL_NAT64, ISATAP -> (int) low;
                    case SIX_TO_FOUR -> (int) (high >>> 16);
                    case TEREDO_SERVER -> (int) high;
                    case TEREDO_CLIENT -> (int) ~low;
                });
    }

    /** Names the form of the address and the RFC. */
    @Override
    public String toString() {
        return text;
    }
}
