package io.broxy;

import java.util.Arrays;
import java.util.Comparator;

/**
 * A range of addresses with a meaning of its own: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890,
 * RFC 8190), multicast and what is not unicast at all. The most specific range around an address decides.
 *
 * <p>Threading: immutable.
 *
 * @param block the addresses
 * @param text what they are, with the RFC that says so
 * @param global whether they belong to the public Internet
 */
record SpecialAddresses(Cidr block, String text, boolean global) {
    private static final SpecialAddresses[] IPV4 = mostSpecificFirst(
            global("0.0.0.0/0", "public"),
            local("0.0.0.0/8", "\"this network\" (RFC 791 §3.2)"),
            local("0.0.0.0/32", "the unspecified address (RFC 1122 §3.2.1.3)"),
            local("10.0.0.0/8", "private (RFC 1918)"),
            local("100.64.0.0/10", "shared by a carrier's NAT (RFC 6598)"),
            local("127.0.0.0/8", "loopback (RFC 1122 §3.2.1.3)"),
            local("169.254.0.0/16", "link-local (RFC 3927)"),
            local("172.16.0.0/12", "private (RFC 1918)"),
            local("192.0.0.0/24", "set aside for IETF protocols (RFC 6890 §2.1)"),
            local("192.0.0.0/29", "for IPv4 service continuity (RFC 7335)"),
            local("192.0.0.8/32", "the dummy address (RFC 7600)"),
            global("192.0.0.9/32", "public: PCP anycast (RFC 7723)"),
            global("192.0.0.10/32", "public: TURN anycast (RFC 8155)"),
            local("192.0.0.170/31", "for NAT64 discovery (RFC 8880)"),
            local("192.0.2.0/24", "for documentation (RFC 5737)"),
            global("192.31.196.0/24", "public: AS112 (RFC 7535)"),
            global("192.52.193.0/24", "public: AMT (RFC 7450)"),
            local("192.88.99.0/24", "the deprecated 6to4 relay anycast (RFC 7526)"),
            local("192.168.0.0/16", "private (RFC 1918)"),
            global("192.175.48.0/24", "public: AS112 (RFC 7534)"),
            local("198.18.0.0/15", "for benchmarks (RFC 2544)"),
            local("198.51.100.0/24", "for documentation (RFC 5737)"),
            local("203.0.113.0/24", "for documentation (RFC 5737)"),
            local("224.0.0.0/4", "multicast (RFC 5771)"),
            local("240.0.0.0/4", "reserved (RFC 1112 §4)"),
            local("255.255.255.255/32", "the limited broadcast (RFC 919 §7)"));

    private static final SpecialAddresses[] IPV6 = mostSpecificFirst(
            local("::/0", "not global unicast (RFC 4291 §2.4)"),
            global("2000::/3", "public"),
            local("::/128", "the unspecified address (RFC 4291 §2.5.2)"),
            local("::1/128", "loopback (RFC 4291 §2.5.3)"),
            local("::/96", "IPv4-compatible, which is deprecated (RFC 4291 §2.5.5.1)"),
            global("64:ff9b::/96", "public through NAT64 (RFC 6052)"), // as far as what it carries is
            local("64:ff9b:1::/48", "local-use NAT64 (RFC 8215)"),
            local("100::/64", "discard-only (RFC 6666)"),
            local("100:0:0:1::/64", "the dummy prefix (RFC 9780)"),
            local("2001::/23", "set aside for IETF protocols (RFC 2928)"),
            global("2001::/32", "public through Teredo (RFC 4380)"), // as far as what it carries is
            global("2001:1::1/128", "public: PCP anycast (RFC 7723)"),
            global("2001:1::2/128", "public: TURN anycast (RFC 8155)"),
            global("2001:1::3/128", "public: SRP anycast (RFC 9665)"),
            local("2001:2::/48", "for benchmarks (RFC 5180)"),
            global("2001:3::/32", "public: AMT (RFC 7450)"),
            global("2001:4:112::/48", "public: AS112 (RFC 7535)"),
            local("2001:10::/28", "the deprecated ORCHID (RFC 4843)"),
            global("2001:20::/28", "public: ORCHIDv2 (RFC 7343)"),
            global("2001:30::/28", "public: DRIP (RFC 9374)"),
            local("2001:db8::/32", "for documentation (RFC 3849)"),
            global("2002::/16", "public through 6to4 (RFC 3056)"), // as far as what it carries is
            global("2620:4f:8000::/48", "public: AS112 (RFC 7534)"),
            local("3fff::/20", "for documentation (RFC 9637)"),
            local("5f00::/16", "for SRv6 segments (RFC 9602)"),
            local("fc00::/7", "unique local (RFC 4193)"),
            local("fe80::/10", "link-local (RFC 4291 §2.5.6)"),
            local("fec0::/10", "site-local, which is deprecated (RFC 3879)"),
            local("ff00::/8", "multicast (RFC 4291 §2.7)"));

    /** The most specific range around an address as {@link AddressBits} holds it; there always is one. */
    static SpecialAddresses find(long high, long low) {
        for (SpecialAddresses range : AddressBits.isIpv4(high, low) ? IPV4 : IPV6) {
            if (range.block.contains(high, low)) {
                return range;
            }
        }
        throw new AssertionError("both tables end with a range for all addresses");
    }

    /** What the addresses are. */
    @Override
    public String toString() {
        return text;
    }

    private static SpecialAddresses local(String block, String text) {
        return new SpecialAddresses(Cidr.parse(block), text, false);
    }

    private static SpecialAddresses global(String block, String text) {
        return new SpecialAddresses(Cidr.parse(block), text, true);
    }

    private static SpecialAddresses[] mostSpecificFirst(SpecialAddresses... ranges) {
        Arrays.sort(ranges, Comparator.comparing(range -> -range.block.prefixLength()));
        return ranges;
    }
}
