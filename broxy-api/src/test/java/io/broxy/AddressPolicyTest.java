package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which addresses each built-in policy admits, how policies combine, and how they explain a decision. */
class AddressPolicyTest {
    private static final Cidr TEN = Cidr.parse("10.0.0.0/8");

    @ParameterizedTest
    @ValueSource(strings = {"8.8.8.8", "10.1.2.3", "0.0.0.0", "255.255.255.255", "::", "ff02::1", "2002:a00:1::"})
    void anyAdmitsEverything(String address) {
        assertThat(AddressPolicy.any().admits(Literals.address(address))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8.8.8.8",
                "1.1.1.1",
                "223.255.255.255",
                "::ffff:8.8.8.8",
                "2606:4700:4700::1111",
                "2002:808:808::1",
                "64:ff9b::8.8.8.8",
                "2001:0:4136:e378:8000:63bf:f7f7:f7f7",
                "2606:4700::200:5efe:8.8.8.8",
                "2002:808:808::5efe:8.8.8.8",
                "192.88.98.255",
            })
    void publicOnlyAdmitsThePublicInternet(String address) {
        assertThat(AddressPolicy.publicOnly().admits(Literals.address(address))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.1.2.3",
                "127.0.0.1",
                "169.254.169.254",
                "100.64.0.1",
                "0.0.0.0",
                "224.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "fe80::1",
                "fd00:ec2::254",
                "ff02::1",
                "2001:db8::1",
                "4000::1",
            })
    void publicOnlyRefusesTheRest(String address) {
        assertThat(AddressPolicy.publicOnly().admits(Literals.address(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::ffff:127.0.0.1",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:0:127.0.0.1",
                "64:ff9b::127.0.0.1",
                "64:ff9b::169.254.169.254",
                "64:ff9b:1::127.0.0.1",
                "64:ff9b:1::8.8.8.8",
                "2002:7f00:1::",
                "2002:a9fe:a9fe::1",
                "2002:808:808::5efe:10.0.0.1",
                "2001:0:4136:e378:8000:63bf:f5ff:fffe", // the client is 10.0.0.1
                "2001:0:a00:1:8000:63bf:f7f7:f7f7", // the server is 10.0.0.1
                "2606:4700::5efe:192.168.0.1",
                "2606:4700::200:5efe:192.168.0.1",
            })
    void publicOnlyRefusesWhatEmbedsAnAddressThatIsNotPublic(String address) {
        assertThat(AddressPolicy.publicOnly().admits(Literals.address(address))).isFalse();
    }

    @Test
    void anIpv4MappedAddressThatTheJdkLeftAsIpv6IsUnwrapped() throws UnknownHostException {
        byte[] mapped = new byte[16];
        mapped[10] = (byte) 0xff;
        mapped[11] = (byte) 0xff;
        mapped[12] = 127;
        mapped[15] = 1;
        InetAddress address = Inet6Address.getByAddress(null, mapped, 0);

        assertThat(AddressPolicy.publicOnly().admits(address)).isFalse();
        assertThat(AddressPolicy.publicOnly().explain(address)).startsWith("127.0.0.1 is loopback");
        assertThat(AddressPolicy.denying(Cidr.parse("127.0.0.0/8")).admits(address))
                .isFalse();
        assertThat(AddressPolicy.allowing(Cidr.parse("127.0.0.0/8")).admits(address))
                .isTrue();
    }

    @Test
    void allowingAdmitsItsBlocksOnly() {
        AddressPolicy policy = AddressPolicy.allowing(TEN, Cidr.parse("fd00::/8"));

        assertThat(policy.admits(Literals.address("10.255.255.255"))).isTrue();
        assertThat(policy.admits(Literals.address("fd12::1"))).isTrue();
        assertThat(policy.admits(Literals.address("11.0.0.0"))).isFalse();
        assertThat(policy.admits(Literals.address("8.8.8.8"))).isFalse();
        assertThat(AddressPolicy.allowing().admits(Literals.address("8.8.8.8"))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"2002:a00:1::", "64:ff9b::10.0.0.1", "::10.0.0.1", "2606:4700::5efe:10.0.0.1"})
    void allowingAnIpv4BlockAllowsNoIpv6AddressThatEmbedsIt(String address) {
        assertThat(AddressPolicy.allowing(TEN).admits(Literals.address(address)))
                .isFalse();
    }

    @Test
    void denyingRefusesItsBlocksOnly() {
        AddressPolicy policy = AddressPolicy.denying(TEN, Cidr.parse("fd00::/8"));

        assertThat(policy.admits(Literals.address("10.0.0.0"))).isFalse();
        assertThat(policy.admits(Literals.address("fdff::"))).isFalse();
        assertThat(policy.admits(Literals.address("9.255.255.255"))).isTrue();
        assertThat(policy.admits(Literals.address("127.0.0.1"))).isTrue();
        assertThat(AddressPolicy.denying().admits(Literals.address("127.0.0.1")))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::ffff:10.0.0.1",
                "::10.0.0.1",
                "2002:a00:1::",
                "64:ff9b::10.0.0.1",
                "64:ff9b:1::10.0.0.1",
                "2606:4700::5efe:10.0.0.1",
                "2001:0:4136:e378:8000:63bf:f5ff:fffe",
                "2001:0:a00:1:8000:63bf:f7f7:f7f7",
            })
    void denyingAnIpv4BlockDeniesTheIpv6AddressesThatEmbedIt(String address) {
        assertThat(AddressPolicy.denying(TEN).admits(Literals.address(address))).isFalse();
    }

    @Test
    void collectionsOfBlocksAreCopied() {
        List<Cidr> blocks = new ArrayList<>(List.of(TEN));
        AddressPolicy allowing = AddressPolicy.allowing(blocks);
        AddressPolicy denying = AddressPolicy.denying(blocks);
        blocks.clear();

        assertThat(allowing.admits(Literals.address("10.0.0.1"))).isTrue();
        assertThat(denying.admits(Literals.address("10.0.0.1"))).isFalse();
    }

    @Test
    void orAdmitsWhatOneOfBothAdmits() {
        AddressPolicy policy = AddressPolicy.publicOnly().or(AddressPolicy.allowing(TEN));

        assertThat(policy.admits(Literals.address("8.8.8.8"))).isTrue();
        assertThat(policy.admits(Literals.address("10.1.2.3"))).isTrue();
        assertThat(policy.admits(Literals.address("192.168.0.1"))).isFalse();
        assertThat(policy.admits(Literals.address("64:ff9b::10.1.2.3"))).isFalse();
    }

    @Test
    void andAdmitsWhatBothAdmit() {
        AddressPolicy policy = AddressPolicy.publicOnly().and(AddressPolicy.denying(Cidr.parse("8.8.8.0/24")));

        assertThat(policy.admits(Literals.address("1.1.1.1"))).isTrue();
        assertThat(policy.admits(Literals.address("8.8.8.8"))).isFalse();
        assertThat(policy.admits(Literals.address("10.1.2.3"))).isFalse();
        assertThat(policy.admits(Literals.address("64:ff9b::8.8.8.8"))).isFalse();
    }

    @Test
    void theSecondPolicyIsAskedOnlyIfTheFirstLeavesItOpen() {
        AtomicInteger asked = new AtomicInteger();
        AddressPolicy counting = address -> asked.incrementAndGet() > 0;

        AddressPolicy.any().or(counting).admits(Literals.address("8.8.8.8"));
        AddressPolicy.allowing().and(counting).admits(Literals.address("8.8.8.8"));
        assertThat(asked).hasValue(0);

        AddressPolicy.allowing().or(counting).admits(Literals.address("8.8.8.8"));
        AddressPolicy.any().and(counting).admits(Literals.address("8.8.8.8"));
        assertThat(asked).hasValue(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "8.8.8.8                     | 8.8.8.8 is public",
                "10.1.2.3                    | 10.1.2.3 is private (RFC 1918)",
                "::ffff:10.1.2.3             | 10.1.2.3 is private (RFC 1918)",
                "2606:4700:0:0::1111         | 2606:4700::1111 is public",
                "fe80::1                     | fe80::1 is link-local (RFC 4291 §2.5.6)",
                "64:ff9b::8.8.8.8            | 64:ff9b::808:808 is public through NAT64 (RFC 6052)",
                "64:ff9b::10.1.2.3           | 64:ff9b::a01:203 is NAT64 (RFC 6052) for 10.1.2.3, which is private (RFC 1918)",
                "2002:a01:203::              | 2002:a01:203:: is 6to4 (RFC 3056) for 10.1.2.3, which is private (RFC 1918)",
                "64:ff9b:1::8.8.8.8          | 64:ff9b:1::808:808 is local-use NAT64 (RFC 8215)",
                "2606:4700::5efe:127.0.0.1   | 2606:4700::5efe:7f00:1 is ISATAP (RFC 5214) for 127.0.0.1, which is loopback (RFC 1122 §3.2.1.3)",
                "2001:0:a00:1:0:0:f7f7:f7f7  | 2001:0:a00:1::f7f7:f7f7 is Teredo (RFC 4380) for 10.0.0.1, which is private (RFC 1918)",
            })
    void publicOnlyExplainsItself(String address, String text) {
        assertThat(AddressPolicy.publicOnly().explain(Literals.address(address)))
                .isEqualTo(text);
    }

    @Test
    void listsNameTheBlockThatDecided() {
        AddressPolicy allowing = AddressPolicy.allowing(TEN);
        AddressPolicy denying = AddressPolicy.denying(TEN);

        assertThat(allowing.explain(Literals.address("10.1.2.3")))
                .isEqualTo("10.1.2.3 is in the allowed block 10.0.0.0/8");
        assertThat(allowing.explain(Literals.address("8.8.8.8"))).isEqualTo("8.8.8.8 is in none of the allowed blocks");
        assertThat(denying.explain(Literals.address("10.1.2.3")))
                .isEqualTo("10.1.2.3 is in the denied block 10.0.0.0/8");
        assertThat(denying.explain(Literals.address("8.8.8.8"))).isEqualTo("8.8.8.8 is in none of the denied blocks");
        assertThat(denying.explain(Literals.address("2002:a01:203::")))
                .isEqualTo("2002:a01:203:: is 6to4 (RFC 3056) for 10.1.2.3, which is in the denied block 10.0.0.0/8");
        assertThat(AddressPolicy.any().explain(Literals.address("10.1.2.3")))
                .isEqualTo("10.1.2.3 is admitted like any other");
    }

    @Test
    void combinationsExplainWhatDecided() {
        AddressPolicy either = AddressPolicy.publicOnly().or(AddressPolicy.allowing(TEN));
        AddressPolicy both = AddressPolicy.publicOnly().and(AddressPolicy.denying(Cidr.parse("8.8.8.0/24")));

        assertThat(either.explain(Literals.address("8.8.8.8"))).isEqualTo("8.8.8.8 is public");
        assertThat(either.explain(Literals.address("10.1.2.3")))
                .isEqualTo("10.1.2.3 is in the allowed block 10.0.0.0/8");
        assertThat(either.explain(Literals.address("192.168.0.1")))
                .isEqualTo("192.168.0.1 is private (RFC 1918), and 192.168.0.1 is in none of the allowed blocks");
        assertThat(both.explain(Literals.address("10.1.2.3"))).isEqualTo("10.1.2.3 is private (RFC 1918)");
        assertThat(both.explain(Literals.address("8.8.8.8"))).isEqualTo("8.8.8.8 is in the denied block 8.8.8.0/24");
        assertThat(both.explain(Literals.address("1.1.1.1")))
                .isEqualTo("1.1.1.1 is public, and 1.1.1.1 is in none of the denied blocks");
    }

    @Test
    void aPolicyOfOnesOwnIsALambdaAndExplainsItsAnswerOnly() throws UnknownHostException {
        AddressPolicy even = address -> (address.getAddress()[3] & 1) == 0;
        InetAddress named = InetAddress.getByAddress("name.example", new byte[] {8, 8, 8, 8});

        assertThat(even.explain(named)).isEqualTo("8.8.8.8 is admitted");
        assertThat(even.explain(Literals.address("8.8.8.9"))).isEqualTo("8.8.8.9 is refused");
    }

    /** Refuses one port everywhere. */
    private static AddressPolicy without(int refused) {
        return new AddressPolicy() {
            @Override
            public boolean admits(InetAddress address) {
                return true;
            }

            @Override
            public boolean admits(InetAddress address, int port) {
                return port != refused;
            }

            @Override
            public String explain(InetAddress address, int port) {
                return "port " + port + (port == refused ? " is refused" : " is fine");
            }
        };
    }

    @Test
    void aPolicyGoesByTheAddressAloneUnlessItSaysOtherwise() {
        InetAddress inside = Literals.address("10.1.2.3");
        InetAddress outside = Literals.address("8.8.8.8");

        assertThat(AddressPolicy.publicOnly().admits(outside, 25)).isTrue();
        assertThat(AddressPolicy.publicOnly().admits(inside, 443)).isFalse();
        assertThat(AddressPolicy.publicOnly().explain(inside, 443)).isEqualTo("10.1.2.3 is private (RFC 1918)");
    }

    @ParameterizedTest
    @CsvSource({
        "8.8.8.8, 443, true, true, '8.8.8.8 is public, and port 443 is fine'",
        "8.8.8.8, 25, false, true, port 25 is refused",
        "10.1.2.3, 443, false, true, 10.1.2.3 is private (RFC 1918)",
        "10.1.2.3, 25, false, false, 10.1.2.3 is private (RFC 1918)"
    })
    void combinationsPassThePortOn(String text, int port, boolean both, boolean either, String explanation) {
        InetAddress address = Literals.address(text);
        AddressPolicy and = AddressPolicy.publicOnly().and(without(25));

        assertThat(and.admits(address, port)).isEqualTo(both);
        assertThat(without(25).and(AddressPolicy.publicOnly()).admits(address, port))
                .isEqualTo(both);
        assertThat(without(25).or(AddressPolicy.publicOnly()).admits(address, port))
                .isEqualTo(either);
        assertThat(and.explain(address, port)).isEqualTo(explanation);
    }

    @Test
    void policiesHaveAText() {
        assertThat(AddressPolicy.any()).hasToString("any");
        assertThat(AddressPolicy.publicOnly()).hasToString("public only");
        assertThat(AddressPolicy.publicOnly().or(AddressPolicy.allowing(TEN)))
                .hasToString("(public only or allowing [10.0.0.0/8])");
        assertThat(AddressPolicy.any().and(AddressPolicy.denying(TEN))).hasToString("(any and denying [10.0.0.0/8])");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsRefused() {
        assertThatNullPointerException().isThrownBy(() -> AddressPolicy.any().or(null));
        assertThatNullPointerException().isThrownBy(() -> AddressPolicy.any().and(null));
        assertThatNullPointerException()
                .isThrownBy(() -> AddressPolicy.publicOnly().admits(null));
        assertThatNullPointerException().isThrownBy(() -> AddressPolicy.allowing((Cidr) null));
    }
}
