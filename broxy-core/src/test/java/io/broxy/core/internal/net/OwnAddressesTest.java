package io.broxy.core.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.broxy.AddressPolicy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnAddressesTest {
    private final OwnAddresses own = new OwnAddresses();

    /** A literal, which asks nobody. */
    private static InetAddress address(String literal) throws Exception {
        return InetAddress.getByName(literal);
    }

    private void listensAt(String literal, int port) throws Exception {
        own.add(new InetSocketAddress(address(literal), port));
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
        "::, 2001:db8::1, 3128, true"
    })
    void whereItListensItDoesNotDial(String listening, String dialled, int port, boolean admitted) throws Exception {
        listensAt(listening, 3128);

        assertThat(own.admits(address(dialled), port)).isEqualTo(admitted);
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

    /** A client's connection that was intercepted has somebody else's address at this end. */
    @Test
    void anAddressThatNoInterfaceHasIsNotItsOwn() throws Exception {
        listensAt("192.0.2.1", 80);

        assertThat(own.admits(address("192.0.2.1"), 80)).isTrue();
    }

    @Test
    void severalListenersAreForgottenOneByOne() throws Exception {
        listensAt("127.0.0.1", 3128);
        listensAt("127.0.0.1", 3128);
        listensAt("127.0.0.2", 3128);
        listensAt("127.0.0.1", 8080);

        own.remove(new InetSocketAddress(address("127.0.0.1"), 3128));

        assertThat(own.admits(address("127.0.0.1"), 3128)).isTrue();
        assertThat(own.admits(address("127.0.0.2"), 3128)).isFalse();
        assertThat(own.admits(address("127.0.0.1"), 8080)).isFalse();
        own.remove(new InetSocketAddress(address("127.0.0.2"), 3128));
        assertThat(own.admits(address("127.0.0.2"), 3128)).isTrue();
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
