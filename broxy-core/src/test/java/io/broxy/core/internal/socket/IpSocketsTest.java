package io.broxy.core.internal.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the family of the sockets that are opened, and the addresses that both ends report. */
class IpSocketsTest {
    private static InetAddress ip(String literal) throws IOException {
        return InetAddress.getByName(literal);
    }

    private static void assumeReachable(InetAddress address) throws IOException {
        assumeTrue(NetworkInterface.getByInetAddress(address) != null, () -> "this machine is not " + address);
    }

    /** A server's address and a client's way to it; {@code 0.0.0.0} is any address of both families, as the JDK has it. */
    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.1", "::1, ::1", "0.0.0.0, 127.0.0.1", "0.0.0.0, ::1", "::, 127.0.0.1", "::, ::1"})
    void aClientReachesTheServerAndBothKnowTheAddressesAsTheyAre(String local, String target) throws Exception {
        assumeReachable(ip(target));
        InetSocketAddress listening = new InetSocketAddress(ip(local), 0);
        try (ServerSocketChannel server = IpSockets.serverFor(listening).bind(listening);
                SocketChannel client = IpSockets.openFor(ip(target))) {
            client.connect(new InetSocketAddress(ip(target), ((InetSocketAddress) server.getLocalAddress()).getPort()));
            try (SocketChannel accepted = server.accept()) {
                assertThat(((InetSocketAddress) client.getLocalAddress()).getAddress())
                        .isEqualTo(ip(target));
                assertThat(accepted.getRemoteAddress()).isEqualTo(client.getLocalAddress());
                assertThat(accepted.getLocalAddress()).isEqualTo(client.getRemoteAddress());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "192.0.2.1"})
    void aSocketForIpv4IsOfThatFamilyAlone(String address) throws Exception {
        InetSocketAddress other = new InetSocketAddress(ip("::1"), 0);
        try (SocketChannel socket = IpSockets.openFor(ip(address));
                ServerSocketChannel server = IpSockets.serverFor(new InetSocketAddress(ip(address), 0))) {
            assertThatThrownBy(() -> socket.bind(other)).isInstanceOf(UnsupportedAddressTypeException.class);
            assertThatThrownBy(() -> server.bind(other)).isInstanceOf(UnsupportedAddressTypeException.class);
        }
    }
}
