package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which addresses the mini-server's options allow and deny. */
class DestinationsTest {

    private static AddressPolicy policy(String... arguments) {
        return Destinations.policy(ServerOptions.parse(arguments));
    }

    private static InetAddress address(String literal) throws UnknownHostException {
        return InetAddress.getByName(literal);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"10.1.2.3", "172.31.0.1", "192.168.0.1", "127.0.0.1", "127.0.1.1", "100.64.0.1", "::1", "fd00::1"
            })
    void privateAddressesNeedTheOption(String literal) throws UnknownHostException {
        assertThat(policy().admits(address(literal))).isFalse();
        assertThat(policy("--allow-private").admits(address(literal))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::"})
    void linkLocalAndSpecialAddressesStayClosed(String literal) throws UnknownHostException {
        assertThat(policy("--allow-private").admits(address(literal))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111"})
    void publicAddressesAreAlwaysReached(String literal) throws UnknownHostException {
        assertThat(policy().admits(address(literal))).isTrue();
        assertThat(policy("--allow-private", "--allow=169.254.0.0/16").admits(address(literal)))
                .isTrue();
    }

    @Test
    void whatIsDeniedIsDeniedWhateverAllowsIt() throws UnknownHostException {
        AddressPolicy policy =
                policy("--allow-private", "--deny=10.1.0.0/16", "--allow=10.1.2.0/24", "--deny=93.0.0.0/8");

        assertThat(policy.admits(address("10.1.2.3"))).isFalse();
        assertThat(policy.admits(address("::ffff:10.1.2.3"))).isFalse();
        assertThat(policy.admits(address("93.184.215.14"))).isFalse();
        assertThat(policy.admits(address("10.2.2.3"))).isTrue();
    }

    @Test
    void eachAllowedBlockIsAddedAndNothingBeside() throws UnknownHostException {
        AddressPolicy policy = policy("--allow=169.254.0.0/16", "--allow=10.1.0.0/16");

        assertThat(policy.admits(address("169.254.169.254"))).isTrue();
        assertThat(policy.admits(address("10.1.2.3"))).isTrue();
        assertThat(policy.admits(address("10.2.2.3"))).isFalse();
        assertThat(policy.admits(address("127.0.0.1"))).isFalse();
    }
}
