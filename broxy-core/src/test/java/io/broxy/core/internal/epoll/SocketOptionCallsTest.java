package io.broxy.core.internal.epoll;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.socket.SocketOptions;
import io.broxy.core.testkit.LeakCheck;
import io.broxy.core.testkit.Sockets;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that an option has the same effect on a socket of the engine's own as on a channel. */
@ExtendWith(LeakCheck.class)
class SocketOptionCallsTest {

    /** The level and number of each option, as the system's headers have them. */
    private static final Map<SocketOption<?>, int[]> NUMBERS = Map.of(
            StandardSocketOptions.TCP_NODELAY, new int[] {6, 1},
            StandardSocketOptions.SO_KEEPALIVE, new int[] {1, 9},
            StandardSocketOptions.SO_REUSEADDR, new int[] {1, 2},
            StandardSocketOptions.SO_REUSEPORT, new int[] {1, 15},
            StandardSocketOptions.SO_SNDBUF, new int[] {1, 7},
            StandardSocketOptions.SO_RCVBUF, new int[] {1, 8},
            ExtendedSocketOptions.TCP_KEEPIDLE, new int[] {6, 4},
            ExtendedSocketOptions.TCP_KEEPINTERVAL, new int[] {6, 5},
            ExtendedSocketOptions.TCP_KEEPCOUNT, new int[] {6, 6},
            ExtendedSocketOptions.TCP_QUICKACK, new int[] {6, 12});

    @BeforeAll
    static void needsTheTransport() {
        Sockets.EPOLL.assumePossible();
    }

    private static Object[] values(SocketOption<?> option) {
        if (option.type() == Boolean.class) {
            return new Object[] {true, false};
        }
        return option.name().endsWith("BUF") ? new Object[] {4_096, 100_000, 1 << 20} : new Object[] {7, 42};
    }

    static List<Object[]> cases() {
        List<Object[]> cases = new ArrayList<>();
        for (SocketOption<?> option : NUMBERS.keySet()) {
            for (Object value : values(option)) {
                cases.add(new Object[] {option, value, true});
                cases.add(new Object[] {option, value, false});
            }
        }
        return cases;
    }

    /** What the system has for a channel with this option; for Linux doubles a buffer's size, which the JDK takes back. */
    @SuppressWarnings("unchecked")
    private static int ofChannel(SocketOption<?> option, Object value, boolean v4) throws Exception {
        try (SocketChannel channel =
                SocketChannel.open(v4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6)) {
            channel.setOption((SocketOption<Object>) option, value);
            Object now = channel.getOption(option);
            return now instanceof Boolean on
                    ? (on ? 1 : 0)
                    : option.name().endsWith("BUF") ? 2 * (Integer) now : (Integer) now;
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void hasTheEffectThatItHasOnAChannel(SocketOption<?> option, Object value, boolean v4) throws Exception {
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, v4);
        try {
            SocketOptionCalls.set(libc, fd, v4, option, value);

            int[] number = Objects.requireNonNull(NUMBERS.get(option));
            assertThat(EpollRig.option(libc, fd, number[0], number[1])).isEqualTo(ofChannel(option, value, v4));
        } finally {
            libc.close(fd);
        }
    }

    @Test
    void everyOptionOfChannelsIsPossible() throws Exception {
        try (SocketChannel channel = SocketChannel.open()) {
            for (SocketOption<?> option : channel.supportedOptions()) {
                Libc libc = new Libc();
                int fd = Descriptors.socket(libc, false);
                try {
                    Object value =
                            option.name().equals("SO_LINGER") || option.name().equals("IP_TOS")
                                    ? 16
                                    : option.name().equals("SO_INCOMING_NAPI_ID") ? null : values(option)[0];
                    if (value != null) { // the last one is read only
                        SocketOptionCalls.set(libc, fd, false, option, value);
                    }
                } finally {
                    libc.close(fd);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 5})
    void lingerIsSetWithItsSeconds(int seconds) throws Exception {
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, true);
        try {
            SocketOptionCalls.set(libc, fd, true, StandardSocketOptions.SO_LINGER, seconds);

            assertThat(EpollRig.option(libc, fd, 1, 13, 8)).isEqualTo(Math.max(seconds, 0));
            assertThat(libc.scratch.getInt(0)).as("on").isEqualTo(seconds < 0 ? 0 : 1);
        } finally {
            libc.close(fd);
        }
    }

    /** A channel of IPv6 sets both, since it may connect to a mapped address. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void trafficClassIsSetForBothProtocols(boolean v4) throws Exception {
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, v4);
        try {
            SocketOptionCalls.set(libc, fd, v4, StandardSocketOptions.IP_TOS, 0x10);

            assertThat(EpollRig.option(libc, fd, 0, 1)).isEqualTo(0x10);
            if (!v4) {
                assertThat(EpollRig.option(libc, fd, 41, 67)).isEqualTo(0x10);
            }
        } finally {
            libc.close(fd);
        }
    }

    @Test
    void anUnknownOptionIsRefusedWithItsName() throws Exception {
        SocketOption<Integer> unknown = new SocketOption<>() {
            @Override
            public String name() {
                return "SO_UNHEARD_OF";
            }

            @Override
            public Class<Integer> type() {
                return Integer.class;
            }
        };
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, true);
        try {
            assertThatThrownBy(() -> SocketOptionCalls.set(libc, fd, true, unknown, 1))
                    .isInstanceOf(SocketException.class)
                    .hasMessage("the option SO_UNHEARD_OF is not supported");
        } finally {
            libc.close(fd);
        }
    }

    @Test
    void theDefaultsAreSet() throws Exception {
        Libc libc = new Libc();
        int fd = Descriptors.socket(libc, true);
        AtomicInteger calls = new AtomicInteger();
        try {
            SocketOptions.DEFAULT.applyTo((option, value) -> {
                calls.incrementAndGet();
                SocketOptionCalls.set(libc, fd, true, option, value);
            });

            assertThat(calls).hasValue(2);
            assertThat(EpollRig.option(libc, fd, 6, 1)).isEqualTo(1);
            assertThat(EpollRig.option(libc, fd, 1, 9)).isEqualTo(1);
        } finally {
            libc.close(fd);
        }
    }
}
