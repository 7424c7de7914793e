package io.broxy.core.internal.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.Connection;
import io.broxy.core.internal.net.ConnectionKind;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Origin;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies that sockets that a dialer connects, and connections, have the options of the JDK's own sockets. */
@ExtendWith(LeakCheck.class)
class SocketOptionsTest {
    /** What the JDK lists, but refuses to set. */
    private static final String READ_ONLY = "SO_INCOMING_NAPI_ID";

    /** Values that are nobody's default. */
    private static final Map<SocketOption<?>, Object> OTHER = Map.of(
            StandardSocketOptions.TCP_NODELAY, false,
            StandardSocketOptions.SO_KEEPALIVE, false,
            StandardSocketOptions.SO_REUSEADDR, true,
            StandardSocketOptions.SO_LINGER, 3,
            StandardSocketOptions.IP_TOS, 16,
            ExtendedSocketOptions.TCP_KEEPIDLE, 61,
            ExtendedSocketOptions.TCP_KEEPINTERVAL, 11,
            ExtendedSocketOptions.TCP_KEEPCOUNT, 4);

    private ConnectionKind.Rig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new ConnectionKind.Rig();
    }

    @AfterEach
    void stop() throws Exception {
        rig.close();
    }

    private Socket unconnected(SocketVariant variant) throws IOException {
        return variant.factory(rig.broxy, rig.direct()).createSocket();
    }

    /** What the JDK's own sockets can both read and set. */
    private static Set<SocketOption<?>> ofTheJdk() throws IOException {
        try (Socket socket = new Socket()) {
            Set<SocketOption<?>> options = new HashSet<>(socket.supportedOptions());
            options.removeIf(option -> option.name().equals(READ_ONLY));
            return options;
        }
    }

    @SuppressWarnings("unchecked") // the values are of their options
    private static <T> void set(Socket socket, SocketOption<T> option, Object value) throws IOException {
        socket.setOption(option, (T) value);
    }

    // ------------------------------------------------------------------ what is supported

    @ParameterizedTest
    @EnumSource
    void everyOptionOfTheJdksSocketsIsReadAndSetBeforeAndAfterTheConnect(SocketVariant variant) throws Exception {
        try (Origin origin = Origin.discard();
                Socket socket = unconnected(variant)) {
            assertThat(socket.supportedOptions()).isEqualTo(ofTheJdk());
            for (SocketOption<?> option : socket.supportedOptions()) {
                set(socket, option, socket.getOption(option));
            }
            socket.connect(origin.address());
            assertThat(socket.supportedOptions()).isEqualTo(ofTheJdk());
            for (SocketOption<?> option : socket.supportedOptions()) {
                set(socket, option, socket.getOption(option));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ConnectionKind.class)
    void everyKindOfConnectionHasThem(ConnectionKind kind) throws Exception {
        try (Origin origin = kind.origin(peer -> peer.socket().getInputStream().read());
                Connection connection = kind.open(rig, origin)) {
            Socket socket = connection.asSocket();
            assertThat(socket.supportedOptions()).containsAll(ofTheJdk());
            for (Map.Entry<SocketOption<?>, Object> other : OTHER.entrySet()) {
                set(socket, other.getKey(), other.getValue());
                assertThat(socket.getOption(other.getKey())).isEqualTo(other.getValue());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void closedSocketSupportsNothingAndRefusesEveryOption(SocketVariant variant) throws Exception {
        try (Origin origin = Origin.discard()) {
            Socket never = unconnected(variant);
            Socket once = unconnected(variant);
            once.connect(origin.address());
            for (Socket socket : List.of(never, once)) {
                assertThat(socket.supportedOptions()).isNotEmpty();
                socket.close();
                assertThat(socket.supportedOptions()).isEmpty();
                assertThatThrownBy(() -> socket.getOption(StandardSocketOptions.TCP_NODELAY))
                        .isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 5))
                        .isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setTrafficClass(0)).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setOOBInline(true)).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setReuseAddress(true)).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setKeepAlive(true)).isInstanceOf(SocketException.class);
                assertThatThrownBy(() -> socket.setSoLinger(true, 1)).isInstanceOf(SocketException.class);
                assertThatThrownBy(socket::getReceiveBufferSize).isInstanceOf(SocketException.class);
                socket.setPerformancePreferences(1, 2, 3);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void optionOfOtherSocketsIsUnsupportedInEveryState(SocketVariant variant) throws Exception {
        try (Origin origin = Origin.discard();
                Socket socket = unconnected(variant)) {
            for (int state = 0; state < 2; state++) {
                assertThatThrownBy(() -> socket.getOption(StandardSocketOptions.IP_MULTICAST_TTL))
                        .isInstanceOf(UnsupportedOperationException.class);
                assertThatThrownBy(() -> socket.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 1))
                        .isInstanceOf(UnsupportedOperationException.class);
                if (state == 0) {
                    socket.connect(origin.address());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueThatNoSocketTakesIsRefusedBeforeTheConnectToo(SocketVariant variant) throws Exception {
        try (Socket socket = unconnected(variant)) {
            assertThatThrownBy(() -> socket.setOption(StandardSocketOptions.SO_SNDBUF, -1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, -1))
                    .isInstanceOf(Exception.class);
        }
    }

    // ------------------------------------------------------------------ before the connect

    @Test
    void whatIsSetBeforeIsTheConnections() throws Exception {
        for (ConnectionKind way : List.of(ConnectionKind.CHANNEL, ConnectionKind.HTTP_PROXY, ConnectionKind.TLS)) {
            try (Origin origin =
                            way.origin(peer -> peer.socket().getInputStream().read());
                    Socket socket = rig.broxy
                            .asSocketFactory(request -> opened(way, origin))
                            .createSocket()) {
                for (Map.Entry<SocketOption<?>, Object> other : OTHER.entrySet()) {
                    set(socket, other.getKey(), other.getValue());
                    assertThat(socket.getOption(other.getKey())).isEqualTo(other.getValue());
                }
                socket.setOOBInline(true);
                socket.connect(InetSocketAddress.createUnresolved("target.example", 443));

                for (Map.Entry<SocketOption<?>, Object> other : OTHER.entrySet()) {
                    assertThat(socket.getOption(other.getKey()))
                            .as(other.getKey().name())
                            .isEqualTo(other.getValue());
                }
                assertThat(socket.getOOBInline()).isTrue();
                assertThat(socket.getSoLinger()).isEqualTo(3);
                assertThat(socket.getTrafficClass()).isEqualTo(16);
            }
        }
    }

    private Connection opened(ConnectionKind way, Origin origin) {
        try {
            return way.open(rig, origin);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void beforeTheConnectOptionsAreTheSystems(SocketVariant variant) throws Exception {
        try (Socket socket = unconnected(variant);
                Socket system = new Socket()) {
            assertThat(socket.getReceiveBufferSize()).isPositive().isEqualTo(system.getReceiveBufferSize());
            assertThat(socket.getSendBufferSize()).isPositive().isEqualTo(system.getSendBufferSize());
            for (SocketOption<?> option : ofTheJdk()) {
                assertThat(socket.getOption(option)).as(option.name()).isEqualTo(system.getOption(option));
            }
            assertThat(socket.getTrafficClass()).isEqualTo(system.getTrafficClass());
            if (!variant.isTls()) { // which has no urgent data
                assertThat(socket.getOOBInline()).isFalse();
            }
            assertThat(socket.getSoLinger()).isEqualTo(-1);
            assertThat(socket.getLocalAddress()).isEqualTo(system.getLocalAddress());
            assertThat(socket.getLocalPort()).isEqualTo(system.getLocalPort());
        }
    }

    @ParameterizedTest
    @EnumSource
    void bufferSizesThatAreSetBeforeAreTheConnectionsAsWithTheJdk(SocketVariant variant) throws Exception {
        try (Origin origin = Origin.discard();
                Socket socket = unconnected(variant);
                Socket system = new Socket()) {
            for (Socket each : List.of(socket, system)) {
                each.setReceiveBufferSize(50_000);
                each.setSendBufferSize(40_000);
            }
            assertThat(socket.getReceiveBufferSize()).isEqualTo(system.getReceiveBufferSize());
            socket.connect(origin.address());
            system.connect(origin.address());

            assertThat(socket.getReceiveBufferSize()).isEqualTo(system.getReceiveBufferSize());
            assertThat(socket.getSendBufferSize()).isEqualTo(system.getSendBufferSize());
        }
    }
}
