package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.Random;
import java.util.StringJoiner;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which IPv6 addresses embed an IPv4 address, and which one. */
class EmbeddedAddressesTest {

    /** The examples of the RFCs where they have one. */
    @ParameterizedTest
    @CsvSource({
        "::192.0.2.33,                            IPV4_COMPATIBLE 192.0.2.33",
        "::0.0.0.2,                               IPV4_COMPATIBLE 0.0.0.2",
        "::255.255.255.255,                       IPV4_COMPATIBLE 255.255.255.255",
        "64:ff9b::192.0.2.33,                     NAT64 192.0.2.33",
        "64:ff9b::,                               NAT64 0.0.0.0",
        "64:ff9b:1::10.0.0.1,                     LOCAL_NAT64 10.0.0.1",
        "64:ff9b:1:ffff::169.254.169.254,         LOCAL_NAT64 169.254.169.254",
        "2002:c000:0204::1,                       SIX_TO_FOUR 192.0.2.4",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff, SIX_TO_FOUR 255.255.255.255",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2,    TEREDO_SERVER 65.54.227.120 TEREDO_CLIENT 192.0.2.45",
        "2001::,                                  TEREDO_SERVER 0.0.0.0 TEREDO_CLIENT 255.255.255.255",
        "fe80::5efe:192.0.2.143,                  ISATAP 192.0.2.143",
        "2001:db8::200:5efe:192.0.2.143,          ISATAP 192.0.2.143",
        "2002:c000:0204::5efe:10.0.0.1,           SIX_TO_FOUR 192.0.2.4 ISATAP 10.0.0.1",
    })
    void embeddedAddressesAreFound(String address, String embedded) {
        assertThat(embeddedIn(Literals.address(address))).isEqualTo(embedded);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::",
                "::1",
                "192.0.2.1",
                "::ffff:192.0.2.1",
                "::1:192.0.2.1",
                "64:ff9b::1:c000:221",
                "64:ff9b:0:1::192.0.2.33",
                "64:ff9b:2::192.0.2.33",
                "64:ff9a::192.0.2.33",
                "2001:1::",
                "2003:c000:204::1",
                "2001:db8::100:5efe:192.0.2.143",
                "2001:db8::5eff:192.0.2.143",
                "2001:db8::300:5efe:192.0.2.143",
                "2606:4700::1111",
            })
    void otherAddressesEmbedNone(String address) {
        assertThat(embeddedIn(Literals.address(address))).isEmpty();
    }

    @Test
    @Tag("sweep")
    void anEmbeddedAddressIsFoundWhateverItIs() {
        Random random = new Random(3056);
        for (int i = 0; i < 10_000; i++) {
            byte[] ipv4 = new byte[4];
            random.nextBytes(ipv4);
            byte[] sixToFour = new byte[16];
            random.nextBytes(sixToFour);
            sixToFour[0] = 0x20;
            sixToFour[1] = 0x02;
            System.arraycopy(ipv4, 0, sixToFour, 2, 4);
            byte[] teredo = new byte[16];
            random.nextBytes(teredo);
            System.arraycopy(new byte[] {0x20, 0x01, 0, 0}, 0, teredo, 0, 4);
            for (int at = 0; at < 4; at++) {
                teredo[12 + at] = (byte) ~ipv4[at];
            }
            String text = Literals.of(ipv4).getHostAddress();

            assertThat(embeddedIn(Literals.of(sixToFour))).startsWith("SIX_TO_FOUR " + text);
            assertThat(embeddedIn(Literals.of(teredo))).contains("TEREDO_CLIENT " + text);
        }
    }

    private static String embeddedIn(InetAddress address) {
        byte[] bytes = address.getAddress();
        long high = AddressBits.high(bytes);
        long low = AddressBits.low(bytes);
        StringJoiner found = new StringJoiner(" ");
        for (EmbeddedAddresses place : EmbeddedAddresses.values()) {
            if (place.isIn(high, low)) {
                found.add(place.name()).add(AddressText.format(0, place.low(high, low)));
            }
        }
        return found.toString();
    }
}
