package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigInteger;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how a CIDR block is parsed, written and refused, and which addresses it contains. */
class CidrTest {

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.0.0.0/8",
        "0.0.0.0/0, 0.0.0.0/0",
        "128.0.0.0/1, 128.0.0.0/1",
        "192.0.2.1/32, 192.0.2.1/32",
        "192.0.2.1, 192.0.2.1/32",
        "2001:db8::/32, 2001:db8::/32",
        "2001:DB8:0:0::/64, 2001:db8::/64",
        "2001:db8::1, 2001:db8::1/128",
        "2001:db8::8000:0:0:0/65, 2001:db8:0:0:8000::/65",
        "::/0, ::/0",
        "::/96, ::/96",
        "::1, ::1/128",
        "::ffff:10.0.0.0/104, 10.0.0.0/8",
        "::ffff:0:0/96, 0.0.0.0/0",
        "::ffff:192.0.2.1, 192.0.2.1/32",
    })
    void aBlockIsReadAndWrittenInItsCanonicalForm(String text, String canonical) {
        Cidr block = Cidr.parse(text);

        assertThat(block).hasToString(canonical);
        assertThat(Cidr.parse(canonical)).isEqualTo(block).hasSameHashCodeAs(block);
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3/8, 10.0.0.0/8",
        "192.0.2.1/31, 192.0.2.0/31",
        "0.0.0.1/0, 0.0.0.0/0",
        "2001:db8::1/32, 2001:db8::/32",
        "2001:db8::1/127, 2001:db8::/127",
        "8000::/0, ::/0",
        "::1:0:0:0:1/64, 0:0:0:1::/64",
        "::ffff:10.1.0.0/104, 10.0.0.0/8",
        "::ffff:0:0/95, ::fffe:0:0/95",
    })
    void bitsAfterThePrefixAreRefusedWithTheBlockThatWasMeant(String text, String meant) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse(text))
                .withMessageContaining("\"" + text + "\"")
                .withMessageContaining(meant + " was probably meant");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/08",
                "10.0.0.0/00",
                "10.0.0.0/+8",
                "10.0.0.0/-1",
                "10.0.0.0/ 8",
                "10.0.0.0/8 ",
                " 10.0.0.0/8",
                "10.0.0.0/8/8",
                "10.0.0.0/1000",
                "10.0.0.0/4294967304",
                "10.0.0.0/٨",
                "10.0.0.0/255.0.0.0",
                "10/8",
                "10.0/16",
                "010.0.0.0/8",
                "0x0a.0.0.0/8",
                "167772160/8",
                "10.0.0.0.0/8",
                "256.0.0.0/8",
                "2001:db8::/129",
                "2001:db8:/32",
                "2001:db8/32",
                "[2001:db8::]/32",
                "fe80::%eth0/64",
                "fe80::/64%eth0",
                ":::/0",
                "1:2:3:4:5:6:7:8:9/128",
                "example.org",
                "localhost/8",
                "10.0.0.0\\8",
                "user@10.0.0.0/8",
                "10.0.0.0/8\r\n",
                "10.0.0.0,10.0.0.1",
            })
    void everythingElseIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse(text))
                .withMessageMatching("not a block of addresses: [ -~]+");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.0/8",
                "192.0.2.128/25",
                "192.0.2.1/32",
                "128.0.0.0/1",
                "2001:db8::/32",
                "2001:db8::/63",
                "2001:db8::/64",
                "2001:db8::/65",
                "2001:db8:0:0:8000::/65",
                "8000::/1",
                "2001:db8::1/128",
            })
    void aBlockGoesFromItsFirstToItsLastAddress(String text) {
        Cidr block = Cidr.parse(text);
        InetAddress first = Literals.first(text);
        InetAddress last = Literals.last(text);

        assertThat(block.contains(first)).isTrue();
        assertThat(block.contains(last)).isTrue();
        assertThat(block.contains(Literals.plus(first, BigInteger.ONE.negate())))
                .isFalse();
        assertThat(block.contains(Literals.plus(last, BigInteger.ONE))).isFalse();
    }

    @Test
    void theWorldsOfIpv4AndIpv6AreApart() {
        Cidr ipv4 = Cidr.parse("0.0.0.0/0");
        Cidr ipv6 = Cidr.parse("::/0");

        assertThat(ipv4.contains(Literals.address("10.0.0.1"))).isTrue();
        assertThat(ipv6.contains(Literals.address("10.0.0.1"))).isFalse();
        assertThat(ipv4.contains(Literals.address("::a00:1"))).isFalse();
        assertThat(ipv6.contains(Literals.address("::a00:1"))).isTrue();
    }

    @Test
    void anIpv4MappedAddressCountsAsIpv4() throws UnknownHostException {
        byte[] mapped = new byte[16];
        mapped[10] = (byte) 0xff;
        mapped[11] = (byte) 0xff;
        mapped[12] = 10;
        InetAddress address = Inet6Address.getByAddress(null, mapped, 0); // the one way to keep the JDK from unwrapping

        assertThat(address).isInstanceOf(Inet6Address.class);
        assertThat(Cidr.parse("10.0.0.0/8").contains(address)).isTrue();
        assertThat(Cidr.parse("11.0.0.0/8").contains(address)).isFalse();
        assertThat(Cidr.parse("::/0").contains(address)).isFalse();
    }

    @Test
    void blocksDifferByAddressAndPrefix() {
        assertThat(Cidr.parse("10.0.0.0/8"))
                .isNotEqualTo(Cidr.parse("10.0.0.0/9"))
                .isNotEqualTo(Cidr.parse("11.0.0.0/8"))
                .isNotEqualTo(Cidr.parse("a00::/8"))
                .isNotEqualTo("10.0.0.0/8");
        assertThat(Cidr.parse("0.0.0.0/0")).isNotEqualTo(Cidr.parse("::/0"));
    }

    /** Compares the leading bits one by one. */
    @Test
    @Tag("sweep")
    void anAddressIsInABlockIfAndOnlyIfItBeginsWithTheSameBits() {
        Random random = new Random(4632);
        for (int i = 0; i < 50_000; i++) {
            byte[] inside = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(inside);
            int prefix = random.nextInt(inside.length * 8 + 1);
            byte[] network = inside.clone();
            for (int bit = prefix; bit < network.length * 8; bit++) {
                network[bit / 8] &= (byte) ~(0x80 >>> bit % 8);
            }
            Cidr block = Cidr.parse(Literals.of(network).getHostAddress() + "/" + prefix);
            byte[] address = inside.clone();
            int flipped = random.nextInt(address.length * 8);
            address[flipped / 8] ^= (byte) (0x80 >>> flipped % 8);

            assertThat(block.contains(Literals.of(inside))).isTrue();
            assertThat(block.contains(Literals.of(address))).isEqualTo(flipped >= prefix);
        }
    }
}
