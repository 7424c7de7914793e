package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.broxy.AddressPolicy;
import io.broxy.HostPort;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies which addresses and targets lead to a listener of the engine. */
class OwnAddressesTest {
    private final OwnAddresses own = new OwnAddresses();

    /** Of a literal, without a look-up. */
    private static InetAddress address(String literal) throws Exception {
        return InetAddress.getByName(literal);
    }

    private OwnAddresses.Listening listensAt(String literal, int port) throws Exception {
        return own.add(new InetSocketAddress(address(literal), port));
    }

    @Test
    void withoutAListenerAllIsAdmitted() throws Exception {
        assertThat(own.admits(address("127.0.0.1"), 3128)).isTrue();
        assertThat(own.admits(address("0.0.0.0"), 3128)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1, 3128, false",
        "127.0.0.1, 127.0.0.1, 3129, true",
        "127.0.0.1, 127.0.0.2, 3128, true",
        "127.0.0.1, 192.0.2.1, 3128, true",
        "127.0.0.1, ::ffff:127.0.0.1, 3128, false",
        "127.0.0.1, ::1, 3128, true",
        "127.0.0.1, 0.0.0.0, 3128, false",
        "::1, ::1, 3128, false",
        "::1, 127.0.0.1, 3128, true",
        "::1, ::, 3128, false",
        "0.0.0.0, 127.0.0.1, 3128, false",
        "0.0.0.0, 127.9.8.7, 3128, false",
        "0.0.0.0, ::1, 3128, false",
        "0.0.0.0, 0.0.0.0, 3128, false",
        "0.0.0.0, ::, 3128, false",
        "0.0.0.0, 127.0.0.1, 80, true",
        "0.0.0.0, 192.0.2.1, 3128, true",
        "::, 127.0.0.1, 3128, false",
        "::, ::1, 3128, false",
        "::, 2001:db8::1, 3128, true",
        "127.0.0.1, ::127.0.0.1, 3128, false",
        "127.0.0.1, 64:ff9b::127.0.0.1, 3128, false",
        "127.0.0.1, 64:ff9b:1::7f00:1, 3128, false",
        "127.0.0.1, 2002:7f00:1::, 3128, false",
        "127.0.0.1, 2001:0:0:0:0:0:80ff:fffe, 3128, false",
        "127.0.0.1, 2001:db8::5efe:7f00:1, 3128, false",
        "127.0.0.1, 64:ff9b::127.0.0.2, 3128, true",
        "127.0.0.1, 64:ff9b::127.0.0.1, 3129, true",
        "0.0.0.0, 64:ff9b::127.9.8.7, 3128, false",
        "0.0.0.0, ::127.0.0.1, 3128, false",
        "::, 2002:7f00:1::, 3128, false",
        "::, 64:ff9b::192.0.2.1, 3128, true"
    })
    void whereItListensItDoesNotDial(String listening, String dialed, int port, boolean admitted) throws Exception {
        listensAt(listening, 3128);

        assertThat(own.admits(address(dialed), port)).isEqualTo(admitted);
    }

    @Test
    void aWildcardMeansTheAddressesOfEveryInterface() throws Exception {
        Optional<InetAddress> outward = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> !address.isLoopbackAddress())
                .findAny();
        assumeThat(outward).as("an interface besides the loopback").isPresent();
        listensAt("0.0.0.0", 3128);

        assertThat(own.admits(outward.get(), 3128)).isFalse();
        assertThat(own.admits(outward.get(), 3129)).isTrue();
    }

    @Test
    void aWildcardMeansTheseAddressesAlsoWhereIpv6EmbedsThem() throws Exception {
        Optional<InetAddress> outward = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                .findAny();
        assumeThat(outward).as("an IPv4 interface besides the loopback").isPresent();
        listensAt("0.0.0.0", 3128);

        assertThat(own.admits(address("64:ff9b::" + outward.get().getHostAddress()), 3128))
                .isFalse();
    }

    /** InetAddress makes an IPv4 address of the mapped form; a resolver of the user's own may give it as it is. */
    @Test
    void theMappedFormIsTheIpv4AddressHoweverItWasMade() throws Exception {
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = (byte) 0xFF;
        mapped[12] = 127;
        mapped[15] = 1;
        InetAddress kept = Inet6Address.getByAddress(null, mapped, -1);
        assertThat(kept).isInstanceOf(Inet6Address.class);
        listensAt("127.0.0.1", 3128);
        listensAt("0.0.0.0", 80);

        assertThat(own.admits(kept, 3128)).isFalse();
        assertThat(own.admits(kept, 80)).isFalse();
        assertThat(own.admits(kept, 81)).isTrue();
    }

    @Test
    void aScopeMakesNoOtherAddress() throws Exception {
        own.add(new InetSocketAddress(scoped(1), 3128));

        assertThat(own.admits(address("fe80::1"), 3128)).isFalse();
        assertThat(own.admits(scoped(2), 3128)).isFalse();
    }

    private static InetAddress scoped(int scope) throws Exception {
        return Inet6Address.getByAddress(null, address("fe80::1").getAddress(), scope);
    }

    /** Such as the public address of a balancer in front, which the embedder has declared. */
    @Test
    void anAddressThatNoInterfaceHasCountsToo() throws Exception {
        listensAt("192.0.2.1", 80);

        assertThat(own.admits(address("192.0.2.1"), 80)).isFalse();
        assertThat(own.admits(address("192.0.2.2"), 80)).isTrue();
    }

    @Test
    void listenersAreForgottenOneByOneEachOnce() throws Exception {
        OwnAddresses.Listening first = listensAt("127.0.0.1", 3128);
        OwnAddresses.Listening again = listensAt("127.0.0.1", 3128);
        OwnAddresses.Listening second = listensAt("127.0.0.2", 3128);
        listensAt("127.0.0.1", 8080);

        first.close();
        first.close();

        assertThat(own.admits(address("127.0.0.1"), 3128))
                .as("something else listens there")
                .isFalse();
        again.close();
        assertThat(own.admits(address("127.0.0.1"), 3128)).isTrue();
        assertThat(own.admits(address("127.0.0.2"), 3128)).isFalse();
        assertThat(own.admits(address("127.0.0.1"), 8080)).isFalse();
        second.close();
        assertThat(own.admits(address("127.0.0.2"), 3128)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1:3128, true",
        "127.0.0.1, 127.0.0.1:3129, false",
        "127.0.0.1, localhost:3128, true",
        "127.0.0.1, LocalHost.:3128, true",
        "127.0.0.1, proxy.localhost:3128, true",
        "::1, localhost:3128, true",
        "0.0.0.0, localhost:3128, true",
        "127.0.0.1, localhost:80, false",
        "127.0.0.1, localhost.example:3128, false",
        "127.0.0.1, notlocalhost:3128, false",
        "127.0.0.1, [64:ff9b::127.0.0.1]:3128, true",
        "192.0.2.1, localhost:3128, false"
    })
    void aTargetIsKnownByItsLiteralOrAsLocalhost(String listening, String target, boolean contained) throws Exception {
        listensAt(listening, 3128);

        assertThat(own.contain(HostPort.parse(target))).isEqualTo(contained);
    }

    @Test
    void itNarrowsAnyOtherPolicy() throws Exception {
        listensAt("127.0.0.1", 3128);
        AddressPolicy policy = AddressPolicy.any().and(own);

        assertThat(policy.admits(address("127.0.0.1"), 3128)).isFalse();
        assertThat(policy.admits(address("127.0.0.1"), 80)).isTrue();
        assertThat(policy.explain(address("127.0.0.1"), 3128))
                .isEqualTo("127.0.0.1 with port 3128 is where this proxy listens");
        assertThat(own.admits(address("127.0.0.1"))).as("without a port").isTrue();
    }
}
