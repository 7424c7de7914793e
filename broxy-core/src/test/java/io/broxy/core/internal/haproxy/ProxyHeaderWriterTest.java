package io.broxy.core.internal.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies the bytes of the PROXY headers that are written. */
class ProxyHeaderWriterTest {

    private static ProxyHeader header(String source, int sourcePort, String destination, int destinationPort) {
        return new ProxyHeader(
                new InetSocketAddress(source, sourcePort), new InetSocketAddress(destination, destinationPort));
    }

    @ParameterizedTest
    @CsvSource({
        "192.168.0.1, 192.168.0.11, TCP4 192.168.0.1 192.168.0.11 56324 443",
        "2001:db8:0:0:0:0:0:1, ::1, TCP6 2001:db8::1 ::1 56324 443",
        "192.0.2.1, 2001:db8::2, TCP6 ::ffff:192.0.2.1 2001:db8::2 56324 443",
        "2001:db8::2, 192.0.2.1, TCP6 2001:db8::2 ::ffff:192.0.2.1 56324 443",
    })
    void version1IsALine(String source, String destination, String rest) {
        byte[] written = ProxyHeaderWriter.version1(header(source, 56324, destination, 443));

        assertThat(new String(written, US_ASCII)).isEqualTo("PROXY " + rest + "\r\n");
    }

    @ParameterizedTest
    @CsvSource({
        "192.168.0.1, 192.168.0.11, 2111000cc0a80001c0a8000bdc0401bb",
        "2001:db8::1, ::1," + " 2121002420010db800000000000000000000000100000000000000000000000000000001dc0401bb",
        "192.0.2.1, ::1, 2121002400000000000000000000ffffc000020100000000000000000000000000000001dc0401bb",
    })
    void version2IsBinary(String source, String destination, String rest) {
        byte[] written = ProxyHeaderWriter.version2(header(source, 56324, destination, 443));

        assertThat(HexFormat.of().formatHex(written)).isEqualTo("0d0a0d0a000d0a515549540a" + rest);
    }

    @Test
    void withoutAddressesVersion1SaysUnknownAndVersion2Local() {
        assertThat(ProxyHeaderWriter.version1(ProxyHeader.UNKNOWN)).asString().isEqualTo("PROXY UNKNOWN\r\n");
        assertThat(HexFormat.of().formatHex(ProxyHeaderWriter.version2(ProxyHeader.UNKNOWN)))
                .isEqualTo("0d0a0d0a000d0a515549540a" + "20000000");
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, 1, 198.51.100.255, 65535",
        "0.0.0.0, 0, 255.255.255.255, 0",
        "2001:db8::1, 40000, ::, 1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 65535, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 65535",
        "192.0.2.1, 1, 2001:db8::1, 2",
        "2001:db8::1, 1, 192.0.2.1, 2",
    })
    void whatIsWrittenIsReadAgain(String source, int sourcePort, String destination, int destinationPort) {
        ProxyHeader header = header(source, sourcePort, destination, destinationPort);

        assertThat(HeaderFeeding.allWays(ProxyHeaderWriter.version1(header)).header())
                .isEqualTo(header);
        assertThat(HeaderFeeding.allWays(ProxyHeaderWriter.version2(header)).header())
                .isEqualTo(header);
    }

    @Test
    void aZoneIsNotWritten() throws UnknownHostException {
        byte[] linkLocal = InetAddress.getByName("fe80::1").getAddress();
        InetSocketAddress zoned = new InetSocketAddress(Inet6Address.getByAddress(null, linkLocal, 1), 5);
        ProxyHeader header = new ProxyHeader(zoned, zoned);

        assertThat(ProxyHeaderWriter.version1(header)).asString().isEqualTo("PROXY TCP6 fe80::1 fe80::1 5 5\r\n");
        assertThat(ProxyHeaderWriter.version2(header)).hasSize(52);
    }

    @Test
    void aHeaderHasBothAddressesOrNoneAndTheyAreResolved() {
        InetSocketAddress address = new InetSocketAddress("192.0.2.1", 1);
        InetSocketAddress unresolved = InetSocketAddress.createUnresolved("example.org", 1);

        assertThatIllegalArgumentException().isThrownBy(() -> new ProxyHeader(address, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new ProxyHeader(null, address));
        assertThatIllegalArgumentException().isThrownBy(() -> new ProxyHeader(address, unresolved));
        assertThatIllegalArgumentException().isThrownBy(() -> new ProxyHeader(unresolved, address));
    }
}
