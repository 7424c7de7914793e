package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Specifies that a set of blocks finds the outermost block around an address, as a check of each block would. */
class CidrSetTest {

    @Test
    void theOutermostBlockAroundAnAddressIsFound() {
        CidrSet blocks = set("10.1.0.0/16", "10.0.0.0/8", "10.1.2.0/24", "2001:db8::/32", "10.0.0.0/8");

        assertThat(find(blocks, "10.1.2.3")).hasToString("10.0.0.0/8");
        assertThat(find(blocks, "10.255.255.255")).hasToString("10.0.0.0/8");
        assertThat(find(blocks, "11.0.0.0")).isNull();
        assertThat(find(blocks, "9.255.255.255")).isNull();
        assertThat(find(blocks, "2001:db8::1")).hasToString("2001:db8::/32");
        assertThat(find(blocks, "2001:db9::")).isNull();
    }

    @Test
    void anEmptySetHoldsNothing() {
        assertThat(find(set(), "10.1.2.3")).isNull();
        assertThat(find(set(), "::")).isNull();
    }

    @Test
    void allOfOneWorldIsNothingOfTheOther() {
        assertThat(find(set("::/0", "::/96"), "0.0.0.0")).isNull();
        assertThat(find(set("::/0"), "ffff::")).hasToString("::/0");
        assertThat(find(set("0.0.0.0/0"), "::")).isNull();
        assertThat(find(set("0.0.0.0/0"), "255.255.255.255")).hasToString("0.0.0.0/0");
    }

    @Test
    void addressesWithTheHighestBitSetComeLast() {
        CidrSet blocks = set("200.0.0.0/8", "100.0.0.0/8", "fc00::/7", "2000::/3", "::1:8000:0:0:0/65", "0:0:0:1::/80");

        assertThat(find(blocks, "200.1.1.1")).hasToString("200.0.0.0/8");
        assertThat(find(blocks, "100.1.1.1")).hasToString("100.0.0.0/8");
        assertThat(find(blocks, "fd00::")).hasToString("fc00::/7");
        assertThat(find(blocks, "3000::")).hasToString("2000::/3");
        assertThat(find(blocks, "::1:9000:0:0:0")).hasToString("::1:8000:0:0:0/65");
        assertThat(find(blocks, "0:0:0:1::1")).hasToString("0:0:0:1::/80");
        assertThat(find(blocks, "0:0:0:1:1::")).isNull();
    }

    @Test
    @Tag("sweep")
    void theSearchAgreesWithAskingEachBlock() {
        Random random = new Random(9000);
        for (int round = 0; round < 300; round++) {
            List<Cidr> blocks = new ArrayList<>();
            for (int i = random.nextInt(30); i > 0; i--) {
                String network = few(random) + "." + few(random) + ".0.0/16";
                blocks.add(Cidr.parse(random.nextBoolean() ? network : few(random) + ".0.0.0/8"));
                blocks.add(Cidr.parse("20" + few(random) + ":" + few(random) + "::/" + 32));
            }
            CidrSet set = new CidrSet(blocks);
            for (int i = 0; i < 200; i++) {
                InetAddress address = Literals.address(
                        random.nextBoolean()
                                ? few(random) + "." + few(random) + ".0.1"
                                : "20" + few(random) + ":" + few(random) + "::1");

                assertThat(find(set, address) != null)
                        .isEqualTo(blocks.stream().anyMatch(block -> block.contains(address)));
            }
        }
    }

    private static int few(Random random) {
        return 10 + random.nextInt(15);
    }

    private static CidrSet set(String... blocks) {
        return new CidrSet(List.of(blocks).stream().map(Cidr::parse).toList());
    }

    private static @Nullable Cidr find(CidrSet blocks, String address) {
        return find(blocks, Literals.address(address));
    }

    private static @Nullable Cidr find(CidrSet blocks, InetAddress address) {
        byte[] bytes = address.getAddress();
        return blocks.find(AddressBits.high(bytes), AddressBits.low(bytes));
    }
}
