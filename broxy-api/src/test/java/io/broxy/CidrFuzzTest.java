package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/** Specifies that a block contains the addresses that the JDK's parser and big-number arithmetic put into it. */
class CidrFuzzTest {

    @DictionaryEntries({
        "10.0.0.0/8",
        "2001:db8::/32",
        "::/0",
        "0.0.0.0/0",
        "::ffff:10.0.0.0/104",
        "/32",
        "/128",
        "/129",
        "/00",
        "192.0.2.1"
    })
    @FuzzTest
    void aBlockHasTheAddressesThatItsPrefixHas(byte[] bytes) throws UnknownHostException {
        String text = new String(bytes, UTF_8);
        Cidr block;
        try {
            block = Cidr.parse(text);
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).matches("[ -~]{1,1000}");
            return;
        }
        assertThat(Cidr.parse(block.toString())).isEqualTo(block).hasToString(block.toString());

        String[] parts = block.toString().split("/", 2);
        byte[] first = InetAddress.getByName(parts[0]).getAddress();
        assertThat(first).isEqualTo(InetAddress.getByName(text.split("/", 2)[0]).getAddress());
        int free = 8 * first.length - Integer.parseInt(parts[1]);
        assertThat(free).isBetween(0, 8 * first.length);
        BigInteger from = new BigInteger(1, first);
        BigInteger to = from.add(BigInteger.ONE.shiftLeft(free)).subtract(BigInteger.ONE);
        boolean ipv4 = first.length == 4;
        assertThat(contains(block, from, first.length)).isTrue();
        assertThat(contains(block, to, first.length)).isEqualTo(ipv4 || !isMapped(to));
        assertThat(contains(block, from.subtract(BigInteger.ONE), first.length)).isFalse();
        assertThat(contains(block, to.add(BigInteger.ONE), first.length)).isFalse();
        assertThat(block.contains(InetAddress.getByName(ipv4 ? "2001:db8::1" : "192.0.2.1")))
                .isFalse();
    }

    private static boolean isMapped(BigInteger address) {
        return address.shiftRight(32).equals(BigInteger.valueOf(0xffff));
    }

    /** Beyond the first and the last address there is none, and so it is not in the block. */
    private static boolean contains(Cidr block, BigInteger address, int length) throws UnknownHostException {
        if (address.signum() < 0 || address.bitLength() > 8 * length) {
            return false;
        }
        byte[] padded = new byte[length];
        byte[] bytes = address.toByteArray();
        int count = Math.min(bytes.length, length);
        System.arraycopy(bytes, bytes.length - count, padded, length - count, count);
        boolean contains = block.contains(InetAddress.getByAddress(padded));
        assertThat(Arrays.equals(padded, InetAddress.getByAddress(padded).getAddress()) || !contains)
                .isTrue();
        return contains;
    }
}
