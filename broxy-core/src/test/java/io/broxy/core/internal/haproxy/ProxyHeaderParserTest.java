package io.broxy.core.internal.haproxy;

import static io.broxy.core.internal.haproxy.HeaderFeeding.allWays;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.haproxy.HeaderFeeding.Outcome;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which PROXY headers are accepted and which are refused. */
class ProxyHeaderParserTest {
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    /** 192.168.0.1:56324 to 192.168.0.11:443. */
    private static final String IPV4_ADDRESSES = "c0a80001" + "c0a8000b" + "dc04" + "01bb";

    private static final String IPV6_ADDRESSES =
            "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "dc04" + "01bb";

    private static byte[] hex(String... parts) {
        return HexFormat.of().parseHex(String.join("", parts));
    }

    /** A whole header: version and command, family and protocol, and what follows the length. */
    private static byte[] binary(String commandAndFamily, String block) {
        return hex(SIGNATURE, commandAndFamily, "%04x".formatted(block.length() / 2), block);
    }

    private static String value(int type, String value) {
        return "%02x%04x".formatted(type, value.length() / 2) + value;
    }

    /** With a checksum after the addresses, and then another value. */
    private static byte[] summed(String commandAndFamily, String addresses) {
        byte[] header = binary(commandAndFamily, addresses + value(3, "00000000") + value(4, "0102"));
        CRC32C sum = new CRC32C();
        sum.update(header);
        ByteBuffer.wrap(header).putInt(16 + addresses.length() / 2 + 3, (int) sum.getValue());
        return header;
    }

    private static void assertAddresses(Outcome outcome, String source, String destination) {
        assertThat(outcome.refusal()).isNull();
        assertThat(text(source(outcome))).isEqualTo(source);
        assertThat(text(outcome.header() == null ? null : outcome.header().destination()))
                .isEqualTo(destination);
    }

    private static @Nullable InetSocketAddress source(Outcome outcome) {
        return outcome.header() == null ? null : outcome.header().source();
    }

    private static String text(@Nullable InetSocketAddress address) {
        return address == null ? "none" : address.getAddress().getHostAddress() + " " + address.getPort();
    }

    // ------------------------------------------------------------------ version 1

    @Test
    void theLineOfTheSpecificationIsReadAndTheRequestAfterItIsLeft() {
        String line = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";

        Outcome outcome = allWays(line + "GET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n");

        assertAddresses(outcome, "192.168.0.1 56324", "192.168.0.11 443");
        assertThat(outcome.consumed()).isEqualTo(line.length());
    }

    @ParameterizedTest
    @CsvSource({
        "TCP4 255.255.255.255 255.255.255.255 65535 65535, 255.255.255.255 65535, 255.255.255.255 65535",
        "TCP4 0.0.0.0 1.2.3.4 0 0, 0.0.0.0 0, 1.2.3.4 0",
        "TCP6 ::1 2001:DB8::2 1 2, 0:0:0:0:0:0:0:1 1, 2001:db8:0:0:0:0:0:2 2",
        "TCP6 :: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 1 65535,"
                + " 0:0:0:0:0:0:0:0 1, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535",
    })
    void addressesAndPortsAreRead(String rest, String source, String destination) {
        assertAddresses(allWays("PROXY " + rest + "\r\n"), source, destination);
    }

    @Test
    void aMappedAddressAsTheCLibraryPrintsItIsTheIpv4Address() {
        Outcome outcome = allWays("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c000:202 1 2\r\n");

        assertAddresses(outcome, "192.0.2.1 1", "192.0.2.2 2");
        assertThat(source(outcome)).extracting(InetSocketAddress::getAddress).isInstanceOf(Inet4Address.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UNKNOWN",
                "UNKNOWN ",
                "UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
                "UNKNOWN \u0000 \u00ff whatever",
            })
    void unknownHasNoAddressesWhateverFollowsIt(String rest) {
        String line = "PROXY " + rest + "\r\n";

        Outcome outcome = allWays(line + "GET");

        assertThat(outcome.header()).isEqualTo(ProxyHeader.UNKNOWN);
        assertThat(outcome.consumed()).isEqualTo(line.length());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "TCP4 1.2.3.4 1.2.3.5 1 2 3",
                "TCP4 1.2.3.4 1.2.3.5 1",
                "TCP4 1.2.3.4 1.2.3.5 1 ",
                "TCP4 1.2.3.4 1.2.3.5 1 2 ",
                "TCP4  1.2.3.4 1.2.3.5 1 2",
                "TCP4\t1.2.3.4 1.2.3.5 1 2",
                " TCP4 1.2.3.4 1.2.3.5 1 2",
                "tcp4 1.2.3.4 1.2.3.5 1 2",
                "TCP5 1.2.3.4 1.2.3.5 1 2",
                "UDP4 1.2.3.4 1.2.3.5 1 2",
                "UNKNOWNS",
                "unknown",
                "",
                "TCP4",
                "TCP4 ::1 ::2 1 2",
                "TCP6 1.2.3.4 1.2.3.5 1 2",
                "TCP4 1.2.3.4 ::2 1 2",
                "TCP4 01.2.3.4 1.2.3.5 1 2",
                "TCP4 1.2.3 1.2.3.5 1 2",
                "TCP4 1.2.3.4. 1.2.3.5 1 2",
                "TCP4 1.2.3.256 1.2.3.5 1 2",
                "TCP4 0x7f.1 1.2.3.5 1 2",
                "TCP4 2130706433 1.2.3.5 1 2",
                "TCP4 localhost 1.2.3.5 1 2",
                "TCP6 [::1] ::2 1 2",
                "TCP6 ::1%lo ::2 1 2",
                "TCP6 1::2::3 ::2 1 2",
                "TCP6 12345::1 ::2 1 2",
                "TCP6 1:2:3:4:5:6:7 ::2 1 2",
                "TCP4 1.2.3.4 1.2.3.5 01 2",
                "TCP4 1.2.3.4 1.2.3.5 00 2",
                "TCP4 1.2.3.4 1.2.3.5 65536 2",
                "TCP4 1.2.3.4 1.2.3.5 100000 2",
                "TCP4 1.2.3.4 1.2.3.5 -1 2",
                "TCP4 1.2.3.4 1.2.3.5 +1 2",
                "TCP4 1.2.3.4 1.2.3.5 1 2x",
                "TCP4 1.2.3.4 1.2.3.5 \u0661 2",
            })
    void anythingElseBetweenTheWordAndTheLineEndIsRefused(String rest) {
        assertThat(allWays("PROXY " + rest.replace('\u0661', '\u00b2') + "\r\n").refusal())
                .isNotNull();
    }

    @ParameterizedTest
    @CsvSource({
        "'PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n', a LF alone, 31",
        "'PROXY UNKNOWN\r\r\n', a CR and no LF, 15",
        "'PROXY UNKNOWN \rx\r\n', a CR within, 16",
        "'PROXY UNKNOWN \n\r\n', a LF within, 15",
        "'GET / HTTP/1.1\r\n', a request, 1",
        "'PUT / HTTP/1.1\r\n', a request, 2",
        "'PROXY\r\n', no space, 6",
        "'proxy UNKNOWN\r\n', lower case, 1",
        "'\r\nPROXY UNKNOWN\r\n', an empty line before, 3",
    })
    void thePeerIsRefusedAtTheByteThatShowsItDoesNotSpeakTheProtocol(String text, String what, int consumed) {
        Outcome outcome = allWays(text);

        assertThat(outcome.refusal()).as(what).isNotNull();
        assertThat(outcome.consumed()).isEqualTo(consumed);
    }

    @Test
    void aLineHasAtMost107BytesAndIsRefusedAtTheLastOfThem() {
        String longest = "PROXY UNKNOWN " + "x".repeat(91);

        assertThat(allWays(longest + "\r\n").header()).isEqualTo(ProxyHeader.UNKNOWN);
        assertThat(allWays(longest + "\r\n").consumed()).isEqualTo(107);
        assertThat(allWays(longest + "x\r\n").refusal()).isEqualTo("the line is too long");
        assertThat(allWays(longest + "x".repeat(500)).consumed()).isEqualTo(107);
    }

    // ------------------------------------------------------------------ version 2

    @Test
    void tcpOverIpv4IsReadAndTheRequestAfterItIsLeft() {
        byte[] header = binary("2111", IPV4_ADDRESSES);
        byte[] both = ByteBuffer.allocate(header.length + 3)
                .put(header)
                .put(hex("474554"))
                .array();

        Outcome outcome = allWays(both);

        assertAddresses(outcome, "192.168.0.1 56324", "192.168.0.11 443");
        assertThat(outcome.consumed()).isEqualTo(28);
    }

    @Test
    void tcpOverIpv6IsRead() {
        Outcome outcome = allWays(binary("2121", IPV6_ADDRESSES));

        assertAddresses(outcome, "2001:db8:0:0:0:0:0:1 56324", "2001:db8:0:0:0:0:0:2 443");
        assertThat(outcome.consumed()).isEqualTo(52);
    }

    @Test
    void aMappedAddressIsTheIpv4Address() {
        String mapped = "00000000000000000000ffffc0000201";

        assertAddresses(allWays(binary("2121", mapped + mapped + "00010002")), "192.0.2.1 1", "192.0.2.1 2");
    }

    @ParameterizedTest
    @CsvSource({
        "2000, '', LOCAL",
        "2000, 0102030405, LOCAL with a block that is no value",
        "2011, c0a80001c0a8000bdc0401bb, LOCAL with addresses",
        "2011, c0a8, LOCAL with a part of an address",
        "20ff, '', LOCAL of a family that does not exist",
        "2100, '', unspecified",
        "2100, 01, unspecified with a block that is no value",
        "2101, 01, an unspecified family",
        "2110, 01, an unspecified protocol",
        "2112, c0a80001c0a8000bdc0401bb, UDP over IPv4",
        "2122, 20010db800000000000000000000000120010db8000000000000000000000002dc0401bb, UDP over IPv6",
    })
    void thereAreNoAddressesWhereNoneAreSaidOrNoneOfTcp(String commandAndFamily, String block, String what) {
        byte[] header = binary(commandAndFamily, block);

        Outcome outcome = allWays(header);

        assertThat(outcome.header()).as(what).isEqualTo(ProxyHeader.UNKNOWN);
        assertThat(outcome.consumed()).isEqualTo(header.length);
    }

    @Test
    void unixSocketsAreSkipped() {
        assertThat(allWays(binary("2131", "61".repeat(216))).header()).isEqualTo(ProxyHeader.UNKNOWN);
        assertThat(allWays(binary("2132", "61".repeat(216) + value(4, ""))).header())
                .isEqualTo(ProxyHeader.UNKNOWN);
        assertThat(allWays(binary("2131", "61".repeat(215))).refusal()).isNotNull();
    }

    @ParameterizedTest
    @CsvSource({
        "1111, 13, version 1",
        "3111, 13, version 3",
        "2211, 13, an unassigned command",
        "2f11, 13, an unassigned command",
        "2141, 14, no such family",
        "21f1, 14, no such family",
        "2113, 14, no such protocol",
        "211f, 14, no such protocol",
    })
    void whatIsNotAssignedIsRefusedAtItsByte(String commandAndFamily, int consumed, String what) {
        Outcome outcome = allWays(binary(commandAndFamily, IPV4_ADDRESSES));

        assertThat(outcome.refusal()).as(what).isNotNull();
        assertThat(outcome.consumed()).isEqualTo(consumed);
    }

    @Test
    void everyByteOfTheSignatureCounts() {
        byte[] header = binary("2111", IPV4_ADDRESSES);
        for (int at = 0; at < 12; at++) {
            byte[] spoilt = header.clone();
            spoilt[at] ^= 0x20;

            assertThat(allWays(spoilt).refusal()).isEqualTo("no PROXY header");
            assertThat(allWays(spoilt).consumed()).isEqualTo(at + 1);
        }
    }

    @Test
    void aBlockThatIsShorterThanItsAddressesIsRefused() {
        assertThat(allWays(binary("2111", IPV4_ADDRESSES.substring(2))).refusal())
                .isEqualTo("the block is shorter than its addresses");
        assertThat(allWays(binary("2121", IPV4_ADDRESSES)).refusal())
                .isEqualTo("the block is shorter than its addresses");
        assertThat(allWays(binary("2111", "")).refusal()).isEqualTo("the block is shorter than its addresses");
    }

    @Test
    void valuesAreSkipped() {
        String values =
                value(1, "6832") + value(2, "612e62") + value(4, "") + value(0x20, "0100000000") + value(0xe0, "");

        assertAddresses(allWays(binary("2111", IPV4_ADDRESSES + values)), "192.168.0.1 56324", "192.168.0.11 443");
    }

    @ParameterizedTest
    @ValueSource(strings = {"04", "0400", "040001", "04000201", "040000" + "05ffff00"})
    void aValueThatReachesBeyondTheBlockIsRefused(String values) {
        assertThat(allWays(binary("2111", IPV4_ADDRESSES + values)).refusal())
                .isEqualTo("a type-length-value is longer than the block");
    }

    @ParameterizedTest
    @CsvSource({"2111, " + IPV4_ADDRESSES, "2112, " + IPV4_ADDRESSES, "2121, " + IPV6_ADDRESSES})
    void theChecksumIsVerifiedOverTheWholeHeader(String commandAndFamily, String addresses) {
        byte[] header = summed(commandAndFamily, addresses);

        assertThat(allWays(header).refusal()).isNull();
        int typeOfChecksum = 16 + addresses.length() / 2; // with another one there is no checksum
        for (int at = 16; at < header.length; at++) {
            if (at == typeOfChecksum) {
                continue;
            }
            byte[] spoilt = header.clone();
            spoilt[at] ^= 1;

            assertThat(allWays(spoilt).refusal()).as("byte %s", at).isNotNull();
        }
    }

    @Test
    void aChecksumOfTheWrongLengthOrTwoOfThemAreRefused() {
        assertThat(allWays(binary("2111", IPV4_ADDRESSES + value(3, "000000"))).refusal())
                .isEqualTo("the checksum does not have four bytes");
        byte[] header = binary("2111", IPV4_ADDRESSES + value(3, "00000000").repeat(2));
        assertThat(allWays(header).refusal()).startsWith("the checksum is");
    }

    @Test
    void aHeaderHasAtMostFourKibibytesAndIsRefusedWithItsLength() {
        int rest = ProxyHeaderParser.MAX_BINARY - 16 - 12 - 3;
        byte[] longest = binary("2111", IPV4_ADDRESSES + value(4, "00".repeat(rest)));

        assertThat(inOnePiece(longest).header()).isNotNull();
        assertThat(inOnePiece(longest).consumed()).isEqualTo(ProxyHeaderParser.MAX_BINARY);
        byte[] oneMore = binary("2111", IPV4_ADDRESSES + value(4, "00".repeat(rest + 1)));
        assertThat(inOnePiece(oneMore).refusal()).isEqualTo("the header is too long");
        assertThat(inOnePiece(oneMore).consumed()).isEqualTo(16);
        assertThat(allWays(hex(SIGNATURE, "2000", "ffff")).consumed()).isEqualTo(16);
    }

    private static Outcome inOnePiece(byte[] bytes) {
        ProxyHeaderParser parser = new ProxyHeaderParser();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            return new Outcome(parser.feed(in), null, in.position());
        } catch (ProxyHeaderException e) {
            return new Outcome(null, e.getMessage(), in.position());
        }
    }

    // ------------------------------------------------------------------ both

    @Test
    void aHeaderThatEndsEarlyNeedsMoreWhereverItEnds() {
        byte[] text = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n".getBytes(StandardCharsets.US_ASCII);
        for (byte[] header : new byte[][] {text, summed("2111", IPV4_ADDRESSES), binary("2000", "")}) {
            for (int end = 0; end < header.length; end++) {
                Outcome outcome = allWays(Arrays.copyOf(header, end));

                assertThat(outcome.needsMore()).as("cut at %s", end).isTrue();
            }
        }
    }

    @Test
    void aHeaderHasBegunWithItsFirstByte() throws ProxyHeaderException {
        ProxyHeaderParser parser = new ProxyHeaderParser();
        parser.feed(ByteBuffer.allocate(0));
        assertThat(parser.begun()).isFalse();

        parser.feed(ByteBuffer.wrap(new byte[] {'P'}));

        assertThat(parser.begun()).isTrue();
    }

    @Test
    void aParserReadsOneHeader() throws ProxyHeaderException {
        ProxyHeaderParser done = new ProxyHeaderParser();
        assertThat(done.feed(ByteBuffer.wrap(binary("2000", "")))).isNotNull();
        assertThatIllegalStateException().isThrownBy(() -> done.feed(ByteBuffer.wrap(binary("2000", ""))));

        ProxyHeaderParser refused = new ProxyHeaderParser();
        assertThatThrownBy(() -> refused.feed(ByteBuffer.wrap(new byte[] {'x'})))
                .isInstanceOf(ProxyHeaderException.class);
        assertThatIllegalStateException().isThrownBy(() -> refused.feed(ByteBuffer.wrap(new byte[] {'P'})));
    }

    @Test
    @Tag("sweep")
    void garbageComesToTheSameEndHoweverItIsCut() {
        Random random = new Random(5);
        byte[][] headers = {
            summed("2111", IPV4_ADDRESSES),
            binary("2121", IPV6_ADDRESSES + value(4, "00")),
            "PROXY TCP6 ::1 2001:db8::2 1 2\r\n".getBytes(StandardCharsets.US_ASCII)
        };
        for (int round = 0; round < 300; round++) {
            byte[] spoilt = headers[round % headers.length].clone();
            for (int changes = random.nextInt(3); changes >= 0; changes--) {
                spoilt[random.nextInt(spoilt.length)] = (byte) random.nextInt(256);
            }

            assertThat(allWays(spoilt).consumed()).isBetween(1, ProxyHeaderParser.MAX_BINARY);
        }
    }
}
