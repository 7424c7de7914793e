package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the network of the recipes' tests: its one name leads to the loopback, through the proxy only. */
@ExtendWith(LeakCheck.class)
class CorporateNetworkTest {

    @ParameterizedTest
    @EnumSource
    void theProxyResolvesTheName(CorporateNetwork.Via via) throws Exception {
        try (Origin origin = Origin.echo();
                CorporateNetwork network = CorporateNetwork.open();
                Socket socket = network.broxy()
                        .asSocketFactory(network.dialer(via))
                        .createSocket(CorporateNetwork.HOST, origin.port())) {
            socket.getOutputStream().write("hello".getBytes(US_ASCII));

            assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
            assertThat(network.targets()).containsExactly(HostPort.of(CorporateNetwork.HOST, origin.port()));
        }
    }

    @Test
    void theSystemDoesNot() {
        assertThatThrownBy(() -> InetAddress.getAllByName(CorporateNetwork.HOST)).isInstanceOf(UnknownHostException.class);
    }
}
