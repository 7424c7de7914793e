package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Sockets;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how addresses are passed to the system and come back. */
@ExtendWith(LeakCheck.class)
class SocketAddressStructsTest {
    private final ByteBuffer struct =
            ByteBuffer.allocateDirect(SocketAddresses.MAX_BYTES).order(ByteOrder.nativeOrder());

    private InetSocketAddress roundTrip(InetSocketAddress address) {
        int length = SocketAddresses.put(struct, address);
        assertThat(length).isEqualTo(address.getAddress() instanceof Inet4Address ? 16 : 28);
        return SocketAddresses.get(struct);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "0.0.0.0",
                "255.255.255.255",
                "192.0.2.200",
                "::",
                "::1",
                "2001:db8::ffff",
                "fe80::1"
            })
    void anAddressComesBackAsItWas(String host) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), 443);

        assertThat(roundTrip(address)).isEqualTo(address);
    }

    @Test
    void everyPortComesBackAsItWas() {
        InetAddress host = InetAddress.getLoopbackAddress();
        for (int port = 0; port <= 0xFFFF; port++) {
            assertThat(roundTrip(new InetSocketAddress(host, port)).getPort()).isEqualTo(port);
        }
    }

    @Test
    void aPortIsInNetworkOrder() {
        SocketAddresses.put(struct, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0x1234));

        assertThat(struct.get(2)).isEqualTo((byte) 0x12);
        assertThat(struct.get(3)).isEqualTo((byte) 0x34);
    }

    @Test
    void aScopeComesBackAsItWas() throws Exception {
        byte[] linkLocal = InetAddress.getByName("fe80::7").getAddress();
        InetSocketAddress address =
                new InetSocketAddress(Inet6Address.getByAddress(null, linkLocal, 0x01020304), 65_535);

        InetSocketAddress back = roundTrip(address);

        assertThat(back).isEqualTo(address);
        assertThat(((Inet6Address) back.getAddress()).getScopeId()).isEqualTo(0x01020304);
    }

    @Test
    void anAddressOfIpv4ForASocketOfIpv6IsMapped() throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName("192.0.2.7"), 8080);

        assertThat(SocketAddresses.put(struct, address, false)).isEqualTo(28);

        assertThat(struct.getShort(0)).isEqualTo((short) Libc.AF_INET6);
        byte[] mapped = new byte[16];
        struct.get(8, mapped);
        assertThat(mapped).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 7);
        assertThat(SocketAddresses.get(struct)).isEqualTo(address);
    }

    @Test
    void nothingIsLeftOfALongerAddressBefore() throws Exception {
        SocketAddresses.put(
                struct,
                new InetSocketAddress(
                        Inet6Address.getByAddress(
                                null, InetAddress.getByName("fe80::1").getAddress(), 9),
                        1));

        assertThat(roundTrip(new InetSocketAddress(InetAddress.getByName("2001:db8::2"), 2)))
                .isEqualTo(new InetSocketAddress(InetAddress.getByName("2001:db8::2"), 2));
        assertThat(roundTrip(new InetSocketAddress(InetAddress.getByName("192.0.2.1"), 3)))
                .isEqualTo(new InetSocketAddress(InetAddress.getByName("192.0.2.1"), 3));
        assertThat(struct.getLong(8)).as("sin_zero").isZero();
    }

    /** What a socket is bound to is what the system reports, and what NIO reports for such a socket. */
    @ParameterizedTest
    @CsvSource({"127.0.0.1,true", "127.0.0.2,true", "127.0.0.1,false", "0.0.0.0,true", "::1,false", "::,false"})
    void aSocketIsBoundToTheAddressThatWasPassed(String host, boolean v4) throws Exception {
        Sockets.EPOLL.assumePossible();
        InetAddress address = InetAddress.getByName(host);
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, v4);
        try {
            Descriptors.bind(libc, fd, new InetSocketAddress(address, 0), v4);
            InetSocketAddress bound = Descriptors.localAddress(libc, fd);

            assertThat(bound.getAddress()).isEqualTo(address);
            assertThat(bound.getPort()).isPositive();
            try (ServerSocketChannel server =
                    ServerSocketChannel.open(v4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6)) {
                server.bind(new InetSocketAddress(address, 0));
                assertThat(((InetSocketAddress) server.getLocalAddress()).getAddress())
                        .isEqualTo(bound.getAddress());
            }
        } finally {
            libc.close(fd);
        }
    }

    @Test
    void aSocketIsBoundWithinAScope() throws Exception {
        Sockets.EPOLL.assumePossible();
        Optional<Inet6Address> found = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(each -> each instanceof Inet6Address && each.isLinkLocalAddress())
                .map(Inet6Address.class::cast)
                .findAny();
        assumeTrue(found.isPresent(), "no interface has a link-local address");
        Inet6Address linkLocal = found.get();
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, false);
        try {
            Descriptors.bind(libc, fd, new InetSocketAddress(linkLocal, 0), false);

            InetAddress bound = Descriptors.localAddress(libc, fd).getAddress();
            assertThat(bound).isEqualTo(linkLocal);
            assertThat(((Inet6Address) bound).getScopeId()).isEqualTo(linkLocal.getScopeId());
        } finally {
            libc.close(fd);
        }
    }
}
