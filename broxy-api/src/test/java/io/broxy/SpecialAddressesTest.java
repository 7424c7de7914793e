package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which addresses are globally reachable: the registries iana-ipv4-special-registry and iana-ipv6-special-
 * registry as of 2025, and multicast.
 */
class SpecialAddressesTest {

    /** Each range; whether it is public; whether its neighbours are, '-' where there is none. */
    @ParameterizedTest
    @CsvSource({
        "0.0.0.0/8,          no,  -,   yes",
        "0.0.0.0/32,         no,  -,   no",
        "10.0.0.0/8,         no,  yes, yes",
        "100.64.0.0/10,      no,  yes, yes",
        "127.0.0.0/8,        no,  yes, yes",
        "169.254.0.0/16,     no,  yes, yes",
        "172.16.0.0/12,      no,  yes, yes",
        "192.0.0.0/24,       no,  yes, yes",
        "192.0.0.0/29,       no,  yes, no",
        "192.0.0.8/32,       no,  no,  yes",
        "192.0.0.9/32,       yes, no,  yes",
        "192.0.0.10/32,      yes, yes, no",
        "192.0.0.170/32,     no,  no,  no",
        "192.0.0.171/32,     no,  no,  no",
        "192.0.2.0/24,       no,  yes, yes",
        "192.31.196.0/24,    yes, yes, yes",
        "192.52.193.0/24,    yes, yes, yes",
        "192.88.99.0/24,     no,  yes, yes",
        "192.88.99.2/32,     no,  no,  no",
        "192.168.0.0/16,     no,  yes, yes",
        "192.175.48.0/24,    yes, yes, yes",
        "198.18.0.0/15,      no,  yes, yes",
        "198.51.100.0/24,    no,  yes, yes",
        "203.0.113.0/24,     no,  yes, yes",
        "224.0.0.0/4,        no,  yes, no",
        "240.0.0.0/4,        no,  no,  -",
        "255.255.255.255/32, no,  no,  -",
    })
    void ipv4RangesAreJudgedUpToTheirVeryEdges(String block, String inside, String before, String after) {
        assertEdges(block, inside, before, after);
    }

    /** As above. That 64:ff9b::/96, 2001::/32 and 2002::/16 are public counts only as far as what they embed is. */
    @ParameterizedTest
    @CsvSource({
        "::/128,             no,  -,   no",
        "::1/128,            no,  no,  no",
        "::/96,              no,  -,   no",
        "64:ff9b::/96,       yes, no,  no",
        "64:ff9b:1::/48,     no,  no,  no",
        "100::/64,           no,  no,  no",
        "100:0:0:1::/64,     no,  no,  no",
        "2001::/32,          yes, yes, no",
        "2001:1::1/128,      yes, no,  yes",
        "2001:1::2/128,      yes, yes, yes",
        "2001:1::3/128,      yes, yes, no",
        "2001:2::/48,        no,  no,  no",
        "2001:3::/32,        yes, no,  no",
        "2001:4:112::/48,    yes, no,  no",
        "2001:10::/28,       no,  no,  yes",
        "2001:20::/28,       yes, no,  yes",
        "2001:30::/28,       yes, yes, no",
        "2001:db8::/32,      no,  yes, yes",
        "2002::/16,          yes, yes, yes",
        "2620:4f:8000::/48,  yes, yes, yes",
        "3fff::/20,          no,  yes, yes",
        "5f00::/16,          no,  no,  no",
        "fc00::/7,           no,  no,  no",
        "fe80::/10,          no,  no,  no",
        "fec0::/10,          no,  no,  no",
        "ff00::/8,           no,  no,  -",
    })
    void ipv6RangesAreJudgedUpToTheirVeryEdges(String block, String inside, String before, String after) {
        assertEdges(block, inside, before, after);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2001:1::",
                "2001:1::4",
                "2001:4::",
                "2001:4:111:ffff:ffff:ffff:ffff:ffff",
                "2001:4:113::",
                "2001:5::",
                "2001:40::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            })
    void protocolAssignmentsAreRefusedWhereTheRegistryDoesNotSayOtherwise(String address) {
        assertThat(isGlobal(Literals.address(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2000::",
                "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:200::",
                "3fff:1000::",
                "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            })
    void globalUnicastReachesFromOneEndOf2000Slash3ToTheOther(String address) {
        assertThat(isGlobal(Literals.address(address))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "::1:0:0", "::ffff:0:0:0", "65::"})
    void whatIsNoGlobalUnicastIsRefused(String address) {
        assertThat(isGlobal(Literals.address(address))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "8.8.8.8         | public",
                "10.1.2.3        | private (RFC 1918)",
                "172.31.0.1      | private (RFC 1918)",
                "169.254.169.254 | link-local (RFC 3927)",
                "100.100.100.200 | shared by a carrier's NAT (RFC 6598)",
                "127.0.0.1       | loopback (RFC 1122 §3.2.1.3)",
                "0.0.0.0         | the unspecified address (RFC 1122 §3.2.1.3)",
                "0.0.0.1         | \"this network\" (RFC 791 §3.2)",
                "192.0.0.9       | public: PCP anycast (RFC 7723)",
                "192.0.0.8       | the dummy address (RFC 7600)",
                "192.0.0.1       | for IPv4 service continuity (RFC 7335)",
                "192.0.0.200     | set aside for IETF protocols (RFC 6890 §2.1)",
                "255.255.255.255 | the limited broadcast (RFC 919 §7)",
                "255.255.255.254 | reserved (RFC 1112 §4)",
                "239.1.1.1       | multicast (RFC 5771)",
                "2606:4700::1111 | public",
                "::              | the unspecified address (RFC 4291 §2.5.2)",
                "::1             | loopback (RFC 4291 §2.5.3)",
                "::2             | IPv4-compatible, which is deprecated (RFC 4291 §2.5.5.1)",
                "fd00:ec2::254   | unique local (RFC 4193)",
                "fe80::1         | link-local (RFC 4291 §2.5.6)",
                "fec0::1         | site-local, which is deprecated (RFC 3879)",
                "ff02::1         | multicast (RFC 4291 §2.7)",
                "4000::1         | not global unicast (RFC 4291 §2.4)",
                "2001:5::        | set aside for IETF protocols (RFC 2928)",
                "2001:1::3       | public: SRP anycast (RFC 9665)",
            })
    void theMostSpecificRangeDecides(String address, String text) {
        assertThat(find(Literals.address(address))).hasToString(text);
    }

    @Test
    @Tag("sweep")
    void noRandomAddressOutsideOf2000Slash3IsPublic() {
        Random random = new Random(2000);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = new byte[16];
            random.nextBytes(bytes);
            boolean unicast = (bytes[0] & 0xe0) == 0x20;
            InetAddress address = Literals.of(bytes);

            assertThat(unicast || !isGlobal(address)).as(address.toString()).isTrue();
        }
    }

    @Test
    @Tag("sweep")
    void everyAddressHasARange() {
        Random random = new Random(6890);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(bytes);
            InetAddress address = Literals.of(bytes);

            assertThat(find(address).block().contains(address)).isTrue();
        }
    }

    private static void assertEdges(String block, String inside, String before, String after) {
        InetAddress first = Literals.first(block);
        InetAddress last = Literals.last(block);
        assertThat(isGlobal(first)).as("first").isEqualTo(inside.equals("yes"));
        assertThat(isGlobal(last)).as("last").isEqualTo(inside.equals("yes"));
        if (!before.equals("-")) {
            InetAddress neighbour = Literals.plus(first, BigInteger.ONE.negate());
            assertThat(isGlobal(neighbour)).as("before").isEqualTo(before.equals("yes"));
        }
        if (!after.equals("-")) {
            InetAddress neighbour = Literals.plus(last, BigInteger.ONE);
            assertThat(isGlobal(neighbour)).as("after").isEqualTo(after.equals("yes"));
        }
    }

    private static boolean isGlobal(InetAddress address) {
        return find(address).global();
    }

    private static SpecialAddresses find(InetAddress address) {
        byte[] bytes = address.getAddress();
        return SpecialAddresses.find(AddressBits.high(bytes), AddressBits.low(bytes));
    }
}
