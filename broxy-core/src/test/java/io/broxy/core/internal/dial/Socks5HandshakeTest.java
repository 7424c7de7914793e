package io.broxy.core.internal.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.Credentials;
import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.ProxyReply;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the bytes of a SOCKS5 handshake (RFC 1928, RFC 1929), and how each reply is read. */
class Socks5HandshakeTest {
    private static final HostPort NAME = HostPort.parse("example.org:443");
    private static final Credentials CREDENTIALS = Credentials.basic("user", "pass\u00e9");

    private static final String OFFER_NONE = "05 01 00";
    private static final String OFFER_BOTH = "05 02 00 02";
    private static final String ASK_FOR_NAME = "05 01 00 03 0b 65 78 61 6d 70 6c 65 2e 6f 72 67 01 bb";
    private static final String OPEN = "05 00 00 01 7f 00 00 01 12 34";

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    private static String hex(String text) {
        return HexFormat.ofDelimiter(" ").formatHex(text.getBytes(ISO_8859_1));
    }

    private static HandshakeScript.Outcome talk(HostPort target, @Nullable Credentials credentials, String answer) {
        return HandshakeScript.allWays(() -> new Socks5Handshake(target, credentials), bytes(answer));
    }

    private static HandshakeException refusal(@Nullable Credentials credentials, String answer) {
        return Objects.requireNonNull(talk(NAME, credentials, answer).failure(), "the proxy was taken to agree");
    }

    @Test
    void aNameIsSentUnresolved() {
        HandshakeScript.Outcome outcome = talk(NAME, null, "05 00 " + OPEN);

        assertThat(hex(outcome.sent())).isEqualTo(OFFER_NONE + " " + ASK_FOR_NAME);
        assertThat(outcome.done()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1:80,           05 01 00 01 c0 00 02 01 00 50",
        "[2001:db8::1]:65535,    05 01 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 ff ff",
        "[::ffff:192.0.2.1]:80,  05 01 00 01 c0 00 02 01 00 50",
    })
    void anAddressIsSentAsItsFamily(String target, String request) {
        HandshakeScript.Outcome outcome = talk(HostPort.parse(target), null, "05 00 " + OPEN);

        assertThat(hex(outcome.sent())).isEqualTo(OFFER_NONE + " " + request);
    }

    @Test
    void theLongestNameFits() {
        String longest = "a".repeat(63) + "." + "b".repeat(63) + "." + "c".repeat(63) + "." + "d".repeat(61);
        HandshakeScript.Outcome outcome = talk(HostPort.of(longest, 443), null, "05 00 " + OPEN);

        assertThat(outcome.sent()).hasSize(3 + 4 + 1 + 253 + 2).contains(longest);
    }

    @Test
    void aPasswordIsGivenWhenTheProxyWantsIt() {
        HandshakeScript.Outcome outcome = talk(NAME, CREDENTIALS, "05 02 01 00 " + OPEN);

        String password =
                "01 04 " + hex("user") + " 06 " + HexFormat.ofDelimiter(" ").formatHex("pass\u00e9".getBytes(UTF_8));
        assertThat(hex(outcome.sent())).isEqualTo(OFFER_BOTH + " " + password + " " + ASK_FOR_NAME);
        assertThat(outcome.done()).isTrue();
    }

    @Test
    void aPasswordIsNotGivenWhenTheProxyDoesNotWantIt() {
        HandshakeScript.Outcome outcome = talk(NAME, CREDENTIALS, "05 00 " + OPEN);

        assertThat(hex(outcome.sent())).isEqualTo(OFFER_BOTH + " " + ASK_FOR_NAME);
        assertThat(outcome.done()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "05 00 00 01 7f 00 00 01 12 34",
                "05 00 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 12 34",
                "05 00 00 03 05 68 65 6c 6c 6f 12 34",
                "05 00 00 03 00 12 34",
                "05 00 ff 01 00 00 00 00 00 00",
            })
    void whatFollowsTheAnswerComesFromTheTarget(String reply) {
        HandshakeScript.Outcome outcome = talk(NAME, null, "05 00 " + reply + " " + hex("first bytes"));

        assertThat(outcome.done()).isTrue();
        assertThat(outcome.rest()).isEqualTo("first bytes");
    }

    @ParameterizedTest
    @CsvSource({
        "1, PROXY_REFUSED",
        "2, PROXY_REFUSED",
        "3, UNREACHABLE",
        "4, UNREACHABLE",
        "5, REFUSED",
        "6, UNREACHABLE",
        "7, PROTOCOL",
        "8, PROTOCOL",
        "9, PROTOCOL",
        "255, PROTOCOL",
    })
    void everyReplyCodeHasAReason(int code, Reason reason) {
        HandshakeException refusal =
                refusal(null, "05 00 05 " + String.format("%02x", code) + " 00 01 00 00 00 00 00 00");

        assertThat(refusal.reason()).isEqualTo(reason);
        ProxyReply reply = Objects.requireNonNull(refusal.reply());
        assertThat(reply.protocol()).isEqualTo(ProxyReply.Protocol.SOCKS5);
        assertThat(reply.status()).isEqualTo(code);
        assertThat(refusal.kept()).isNull();
    }

    @Test
    void aRefusalThatIsCutAfterItsCodeIsStillARefusal() throws Exception {
        Socks5Handshake handshake = new Socks5Handshake(NAME, null);
        handshake.feed(ByteBuffer.wrap(bytes("05 00")));
        handshake.feed(ByteBuffer.wrap(bytes("05")));
        assertThat(handshake.refusalSoFar()).isNull();
        handshake.feed(ByteBuffer.wrap(bytes("05")));

        assertThat(Objects.requireNonNull(handshake.refusalSoFar()).reason()).isEqualTo(Reason.REFUSED);
    }

    @Test
    void aProxyThatAcceptsNoMethodOrNotThePasswordIsAQuestionOfCredentials() {
        assertThat(refusal(null, "05 ff").reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(refusal(CREDENTIALS, "05 ff").reason()).isEqualTo(Reason.PROXY_AUTH);
        assertThat(refusal(CREDENTIALS, "05 02 01 01").reason()).isEqualTo(Reason.PROXY_AUTH);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "05 02",
                "05 01",
                "05 80",
                "04 00",
                "00 5a",
                "48 54",
                "05 00 04 00 00 01 00",
                "05 00 05 00 00 02 00"
            })
    void anythingElseIsAnErrorOfTheProtocol(String answer) {
        assertThat(refusal(null, answer).reason()).isEqualTo(Reason.PROTOCOL);
    }

    @Test
    void theStatusOfAPasswordHasAVersionToo() {
        assertThat(refusal(CREDENTIALS, "05 02 00 00").reason()).isEqualTo(Reason.PROTOCOL);
        assertThat(refusal(CREDENTIALS, "05 02 04 00").reason()).isEqualTo(Reason.PROTOCOL);
        assertThat(refusal(CREDENTIALS, "05 02 ff 00").reason()).isEqualTo(Reason.PROTOCOL);
    }

    /** That of SOCKS, which some proxies answer with, says as clearly what the status is. */
    @Test
    void theVersionOfTheStatusMayBe5() {
        assertThat(talk(NAME, CREDENTIALS, "05 02 05 00 " + OPEN).done()).isTrue();
        assertThat(refusal(CREDENTIALS, "05 02 05 01").reason()).isEqualTo(Reason.PROXY_AUTH);
    }

    @Test
    void anEmptyPasswordIsSentAsSuch() {
        HandshakeScript.Outcome outcome = talk(NAME, Credentials.basic("user", ""), "05 02 01 00 " + OPEN);

        assertThat(hex(outcome.sent())).isEqualTo(OFFER_BOTH + " 01 04 " + hex("user") + " 00 " + ASK_FOR_NAME);
        assertThat(outcome.done()).isTrue();
    }
}
