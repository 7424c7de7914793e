package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the bytes of a SOCKS 4 handshake and of its extension 4a, and how each reply is read. */
class Socks4HandshakeTest {
    private static final HostPort NAME = HostPort.parse("example.org:443");
    private static final String GRANTED = "00 5a 12 34 7f 00 00 01";

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    private static String hex(String text) {
        return HexFormat.ofDelimiter(" ").formatHex(text.getBytes(ISO_8859_1));
    }

    private static HandshakeScript.Outcome talk(HostPort target, String userId, String answer) {
        return HandshakeScript.allWays(() -> new Socks4Handshake(target, userId), bytes(answer));
    }

    private static HandshakeException refusal(String answer) {
        return Objects.requireNonNull(talk(NAME, "", answer).failure(), "the proxy was taken to agree");
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1:80,           04 01 00 50 c0 00 02 01",
        "0.0.0.0:65535,          04 01 ff ff 00 00 00 00",
        "[::ffff:192.0.2.1]:80,  04 01 00 50 c0 00 02 01",
    })
    void anAddressIsSentAsSuch(String target, String start) {
        HandshakeScript.Outcome outcome = talk(HostPort.parse(target), "me", GRANTED);

        assertThat(hex(outcome.sent())).isEqualTo(start + " 6d 65 00");
        assertThat(outcome.done()).isTrue();
    }

    @Test
    void aNameIsSentUnresolvedBehindTheUserId() {
        HandshakeScript.Outcome outcome = talk(NAME, "m\u00e9", GRANTED);

        assertThat(hex(outcome.sent()))
                .isEqualTo("04 01 01 bb 00 00 00 01 6d c3 a9 00 65 78 61 6d 70 6c 65 2e 6f 72 67 00");
        assertThat(outcome.done()).isTrue();
    }

    @Test
    void anAddressThatWouldAnnounceANameIsSentAsOne() {
        assertThat(hex(talk(HostPort.parse("0.0.0.7:80"), "", GRANTED).sent()))
                .isEqualTo("04 01 00 50 00 00 00 01 00 30 2e 30 2e 30 2e 37 00");
    }

    @Test
    void theLongestNameAndUserIdFit() {
        String name = "a".repeat(63) + "." + "b".repeat(63) + "." + "c".repeat(63) + "." + "d".repeat(61);
        HandshakeScript.Outcome outcome = talk(HostPort.of(name, 443), "u".repeat(255), GRANTED);

        assertThat(outcome.sent()).hasSize(8 + 255 + 1 + 253 + 1).contains(name);
    }

    @Test
    void anIpv6AddressCannotBeSent() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Socks4Handshake(HostPort.parse("[2001:db8::1]:80"), ""))
                .withMessageContaining("IPv6");
    }

    @ParameterizedTest
    @ValueSource(strings = {GRANTED, "00 5a 00 00 00 00 00 00", "04 5a 00 00 00 00 00 00"})
    void whatFollowsTheReplyComesFromTheTarget(String reply) {
        HandshakeScript.Outcome outcome = talk(NAME, "", reply + " " + hex("first bytes"));

        assertThat(outcome.done()).isTrue();
        assertThat(outcome.rest()).isEqualTo("first bytes");
    }

    @ParameterizedTest
    @CsvSource({
        "91, PROXY_REFUSED",
        "92, PROXY_AUTH",
        "93, PROXY_AUTH",
        "0, PROTOCOL",
        "89, PROTOCOL",
        "94, PROTOCOL",
        "255, PROTOCOL"
    })
    void everyReplyCodeHasAReason(int code, Reason reason) {
        HandshakeException refusal = refusal("00 " + String.format("%02x", code) + " 00 00 00 00 00 00");

        assertThat(refusal.reason()).isEqualTo(reason);
        ProxyReply reply = Objects.requireNonNull(refusal.reply());
        assertThat(reply.protocol()).isEqualTo(ProxyReply.Protocol.SOCKS4);
        assertThat(reply.status()).isEqualTo(code);
        assertThat(refusal.kept()).isNull();
    }

    @Test
    void aRefusalThatIsCutBehindItsCodeIsStillARefusal() throws Exception {
        Socks4Handshake handshake = new Socks4Handshake(NAME, "");
        assertThat(handshake.answered()).isFalse();
        handshake.feed(ByteBuffer.wrap(bytes("00")));
        assertThat(handshake.refusalSoFar()).isNull();
        handshake.feed(ByteBuffer.wrap(bytes("5d")));

        assertThat(Objects.requireNonNull(handshake.refusalSoFar()).reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(handshake.answered()).isTrue();
    }

    @Test
    void aCutGrantIsNone() throws Exception {
        Socks4Handshake handshake = new Socks4Handshake(NAME, "");
        handshake.feed(ByteBuffer.wrap(bytes("00 5a 00 00")));

        assertThat(handshake.refusalSoFar()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"05 5a 00 00 00 00 00 00", "48 54 54 50 2f 31 2e 31", "05 ff 00 00 00 00 00 00"})
    void anythingElseIsAnErrorOfTheProtocol(String answer) {
        HandshakeException refusal = refusal(answer);

        assertThat(refusal.reason()).isEqualTo(Reason.PROTOCOL);
        assertThat(refusal.reply()).isNull();
    }
}
