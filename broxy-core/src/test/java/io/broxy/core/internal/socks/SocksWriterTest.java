package io.broxy.core.internal.socks;

import static io.broxy.core.internal.socks.SocksFeeding.hex;
import static io.broxy.core.internal.socks.SocksVersion.SOCKS4;
import static io.broxy.core.internal.socks.SocksVersion.SOCKS5;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the bytes of what a server of SOCKS says. */
class SocksWriterTest {

    private static InetSocketAddress address(String text) {
        HostPort host = HostPort.parse(text);
        return new InetSocketAddress(Objects.requireNonNull(host.address(), "a literal"), host.port());
    }

    @Test
    void aMethodIsNamed() {
        assertThat(hex(SocksWriter.method(Socks5.NO_AUTHENTICATION))).isEqualTo("05 00");
        assertThat(hex(SocksWriter.method(Socks5.USER_AND_PASSWORD))).isEqualTo("05 02");
        assertThat(hex(SocksWriter.method(Socks5.NO_ACCEPTABLE_METHOD))).isEqualTo("05 ff");
    }

    @Test
    void aLoginIsAnswered() {
        assertThat(hex(SocksWriter.authentication(true))).isEqualTo("01 00");
        assertThat(hex(SocksWriter.authentication(false))).isEqualTo("01 01");
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1:443, 05 00 00 01 c0 00 02 01 01 bb, 00 5a 01 bb c0 00 02 01",
        "127.0.0.1:65535, 05 00 00 01 7f 00 00 01 ff ff, 00 5a ff ff 7f 00 00 01",
        "[2001:db8::1]:80, 05 00 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 00 50, 00 5a 00 00 00 00 00 00",
        "[::ffff:192.0.2.1]:80, 05 00 00 01 c0 00 02 01 00 50, 00 5a 00 50 c0 00 02 01",
    })
    void aReplyNamesTheBoundAddressIfItFits(String bound, String socks5, String socks4) {
        assertThat(hex(SocksWriter.reply(SOCKS5, SocksReply.SUCCEEDED, address(bound))))
                .isEqualTo(socks5);
        assertThat(hex(SocksWriter.reply(SOCKS4, SocksReply.SUCCEEDED, address(bound))))
                .isEqualTo(socks4);
    }

    @Test
    void anUnknownAddressIsWrittenAsZeros() {
        @Nullable
        SocketAddress[] unknown = {
            null, UnixDomainSocketAddress.of("/tmp/socket"), InetSocketAddress.createUnresolved("example.org", 80)
        };
        for (@Nullable SocketAddress bound : unknown) {
            assertThat(hex(SocksWriter.reply(SOCKS5, SocksReply.SUCCEEDED, bound)))
                    .isEqualTo("05 00 00 01 00 00 00 00 00 00");
            assertThat(hex(SocksWriter.reply(SOCKS4, SocksReply.SUCCEEDED, bound)))
                    .isEqualTo("00 5a 00 00 00 00 00 00");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "NOT_ALLOWED, 02, 5b",
        "COMMAND_NOT_SUPPORTED, 07, 5b",
        "UNAUTHENTICATED, 02, 5d",
        "UNDECIDED, 01, 5c",
    })
    void aFailureHasItsCode(SocksReply reply, String socks5, String socks4) {
        assertThat(hex(SocksWriter.reply(SOCKS5, reply, null))).isEqualTo("05 " + socks5 + " 00 01 00 00 00 00 00 00");
        assertThat(hex(SocksWriter.reply(SOCKS4, reply, null))).isEqualTo("00 " + socks4 + " 00 00 00 00 00 00");
    }
}
