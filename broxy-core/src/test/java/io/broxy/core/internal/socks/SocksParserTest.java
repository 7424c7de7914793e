package io.broxy.core.internal.socks;

import static io.broxy.core.internal.socks.SocksFeeding.bytes;
import static io.broxy.core.internal.socks.SocksFeeding.guarded;
import static io.broxy.core.internal.socks.SocksFeeding.hex;
import static io.broxy.core.internal.socks.SocksFeeding.open;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.core.internal.socks.SocksException.Problem;
import io.broxy.core.internal.socks.SocksFeeding.Outcome;
import io.broxy.core.internal.socks.SocksMessage.Connect;
import io.broxy.core.internal.socks.SocksMessage.Greeting;
import io.broxy.core.internal.socks.SocksMessage.Login;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies which clients of SOCKS are understood, and what the others get. */
class SocksParserTest {
    private static final String OFFER_NONE = "05 01 00 ";
    private static final String OFFER_PASSWORD = "05 01 02 ";
    private static final String LOGIN = "01 05 616c696365 06 736563726574 ";
    private static final String ASK_FOR_NAME = "05 01 00 03 0b 6578616d706c652e6f7267 01bb ";
    private static final String ASK_4 = "04 01 0050 c0000201 00 ";
    private static final String ASK_4A = "04 01 0050 00000001 626f6200 6578616d706c652e6f726700 ";

    private static String text(String text) {
        return hex(text.getBytes(ISO_8859_1));
    }

    /** A request of SOCKS5 with a name, its length before it, and port 80. */
    private static String named(String name) {
        return OFFER_NONE + "05 01 00 03 %02x".formatted(name.length()) + text(name) + "0050";
    }

    private static String basic(String pair) {
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
    }

    private static HostPort target(Outcome outcome) {
        assertThat(outcome.problem()).isNull();
        assertThat(outcome.last()).isInstanceOf(Connect.class);
        return ((Connect) outcome.last()).target();
    }

    // ------------------------------------------------------------------ SOCKS5: the request

    @Test
    void aRequestIsReadAndTheBytesAfterItAreLeft() {
        Outcome outcome = open(OFFER_NONE + ASK_FOR_NAME + text("GET / HTTP/1.1"));

        assertThat(outcome.messages())
                .containsExactly(
                        new Greeting(Socks5.NO_AUTHENTICATION),
                        new Connect(SocksVersion.SOCKS5, HostPort.parse("example.org:443")));
        assertThat(outcome.consumed()).isEqualTo(3 + 18);
    }

    @ParameterizedTest
    @CsvSource({
        "01 c0000201 0050, 192.0.2.1:80",
        "01 00000000 ffff, 0.0.0.0:65535",
        "04 20010db8000000000000000000000001 0001, [2001:db8::1]:1",
        "04 00000000000000000000000000000000 0050, [::]:80",
        "04 00000000000000000000ffffc0000201 0050, [::ffff:192.0.2.1]:80",
    })
    void anAddressIsReadInItsCanonicalForm(String asked, String target) {
        HostPort read = target(open(OFFER_NONE + "05 01 00 " + asked));

        assertThat(read).isEqualTo(HostPort.parse(target));
        assertThat(read.isLiteral()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "EXAMPLE.org, example.org:80, false",
        "example.org., example.org:80, false",
        "a_b-c, a_b-c:80, false",
        "127.0.0.1, 127.0.0.1:80, true",
        "::1, [::1]:80, true",
        "[::1], [::1]:80, true",
        "::ffff:127.0.0.1, [::ffff:127.0.0.1]:80, true",
    })
    void aNameIsReadByTheRulesOfHostsAndMayBeAnAddress(String name, String target, boolean literal) {
        HostPort read = target(open(named(name)));

        assertThat(read).isEqualTo(HostPort.parse(target));
        assertThat(read.isLiteral()).isEqualTo(literal);
    }

    @Test
    void theLongestNameIsRead() {
        String longest = "a".repeat(63) + "." + "b".repeat(63) + "." + "c".repeat(63) + "." + "d".repeat(61);

        assertThat(target(open(named(longest + "."))).host()).isEqualTo(longest);
        assertThat(open(named(longest + "ee")).problem()).isEqualTo(Problem.TARGET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.1",
                "2130706433",
                "0x7f.1",
                "010.0.0.1",
                "a b",
                "a..b",
                ".",
                "user@host",
                "host:80",
                "fe80::1%eth0",
                "%6c",
                "b\u00fccher.example",
                "a\u0000b",
                "a\r\nb",
                "http://a",
            })
    void aNameThatIsNoHostIsRefused(String name) {
        Outcome outcome = open(named(name));

        assertThat(outcome.problem()).isEqualTo(Problem.TARGET);
        assertThat(outcome.answer()).isEqualTo("05 01 00 01 00 00 00 00 00 00");
        assertThat(outcome.consumed()).isEqualTo(3 + 5 + name.length() + 2);
    }

    @ParameterizedTest
    @CsvSource({
        "04, 1, SYNTAX, 01, another version",
        "05 00, 2, COMMAND, 07, no command",
        "05 02, 2, COMMAND, 07, BIND",
        "05 03, 2, COMMAND, 07, UDP ASSOCIATE",
        "05 f0, 2, COMMAND, 07, RESOLVE of Tor",
        "05 01 01, 3, SYNTAX, 01, reserved",
        "05 01 00 00, 4, ADDRESS_TYPE, 08, no type",
        "05 01 00 02, 4, ADDRESS_TYPE, 08, no type",
        "05 01 00 81, 4, ADDRESS_TYPE, 08, no type",
        "05 01 00 03 00, 5, TARGET, 01, an empty name",
        "05 01 00 01 c0000201 0000, 10, TARGET, 01, port 0",
        "05 01 00 03 01 61 0000, 8, TARGET, 01, port 0 of a name",
    })
    void aRequestIsRefusedAtTheByteThatShowsItsFault(
            String request, int consumed, Problem problem, String code, String what) {
        for (String rest : new String[] {"", "00 01 02 03 04 05 06 07 08 09"}) {
            Outcome outcome = open(OFFER_NONE + request + rest);

            assertThat(outcome.problem()).as(what).isEqualTo(problem);
            assertThat(outcome.answer()).isEqualTo("05 " + code + " 00 01 00 00 00 00 00 00");
            assertThat(outcome.consumed()).isEqualTo(3 + consumed);
        }
    }

    // ------------------------------------------------------------------ SOCKS5: authentication

    @ParameterizedTest
    @CsvSource({
        "05 01 00, 0",
        "05 02 00 02, 0",
        "05 02 02 00, 0",
        "05 03 01 02 00, 0",
        "05 01 02, 2",
        "05 02 01 02, 2",
    })
    void withoutAuthenticatorThePasswordIsChosenIfNothingElseIsOffered(String greeting, byte method) {
        assertThat(open(greeting).messages()).containsExactly(new Greeting(method));
    }

    @ParameterizedTest
    @ValueSource(strings = {"05 01 02", "05 02 00 02", "05 02 02 00", "05 04 80 01 02 00"})
    void withAnAuthenticatorThePasswordIsChosen(String greeting) {
        assertThat(guarded(greeting).messages()).containsExactly(new Greeting(Socks5.USER_AND_PASSWORD));
    }

    @Test
    void allMethodsCanBeOffered() {
        StringBuilder all = new StringBuilder("05 ff ");
        for (int method = 1; method <= 255; method++) {
            all.append("%02x".formatted(method));
        }

        assertThat(open(all.toString()).last()).isEqualTo(new Greeting(Socks5.USER_AND_PASSWORD));
    }

    @ParameterizedTest
    @CsvSource({
        "true, 05 01 00, AUTHENTICATION, 05 ff, 3",
        "true, 05 02 00 01, AUTHENTICATION, 05 ff, 4",
        "false, 05 01 01, AUTHENTICATION, 05 ff, 3",
        "false, 05 01 ff, AUTHENTICATION, 05 ff, 3",
        "false, 05 00, SYNTAX, 05 ff, 2",
        "true, 05 01 02 05, SYNTAX, 01 01, 4",
        "true, 05 01 02 00, SYNTAX, 01 01, 4",
        "true, 05 01 02 01 00, SYNTAX, 01 01, 5",
        "false, 05 01 02 01 00, SYNTAX, 01 01, 5",
        "true, 05 01 02 01 03 61 3a 62, AUTHENTICATION, 01 01, 8",
    })
    void aClientThatCannotAuthenticateItselfIsRefused(
            boolean authenticates, String said, Problem problem, String answer, int consumed) {
        Outcome outcome = SocksFeeding.talk(authenticates, bytes(said + "05 01 00 01 c0000201 0050"));

        assertThat(outcome.problem()).isEqualTo(problem);
        assertThat(outcome.answer()).isEqualTo(answer);
        assertThat(outcome.consumed()).isEqualTo(consumed);
    }

    @Test
    void userNameAndPasswordAreThoseOfTheBasicScheme() {
        Outcome outcome = guarded(OFFER_PASSWORD + LOGIN + ASK_FOR_NAME + "00");

        assertThat(outcome.messages())
                .containsExactly(
                        new Greeting(Socks5.USER_AND_PASSWORD),
                        new Login(basic("alice:secret")),
                        new Connect(SocksVersion.SOCKS5, HostPort.parse("example.org:443")));
        assertThat(outcome.consumed()).isEqualTo(3 + 14 + 18);
    }

    @ParameterizedTest
    @CsvSource({
        "01 61 00, a:",
        "01 61 01 3a, a::",
        "02 c3a9 02 c3bc, \u00e9:\u00fc",
        "01 20 03 0d0a00, ' :\r\n\u0000'",
    })
    void whatIsInUserNameAndPasswordIsUpToTheAuthenticator(String said, String pair) {
        assertThat(guarded(OFFER_PASSWORD + "01" + said).last()).isEqualTo(new Login(basic(pair)));
    }

    @Test
    void userNameAndPasswordHaveUpTo255Bytes() {
        String login = "01 ff " + "75".repeat(255) + "ff" + "70".repeat(255);

        assertThat(guarded(OFFER_PASSWORD + login).last())
                .isEqualTo(new Login(basic("u".repeat(255) + ":" + "p".repeat(255))));
    }

    @Test
    void anyUserNameIsAcceptedWhereNoneIsNeeded() {
        Outcome outcome = open(OFFER_PASSWORD + "01 03 613a62 00" + ASK_FOR_NAME);

        assertThat(outcome.messages()).hasSize(3);
        assertThat(target(outcome).host()).isEqualTo("example.org");
    }

    @Test
    void aLoginShowsNoSecret() {
        assertThat(guarded(OFFER_PASSWORD + LOGIN).last()).hasToString("Login");
    }

    @Test
    void nothingIsReadUntilTheLoginIsAccepted() throws SocksException {
        SocksParser parser = new SocksParser(true);
        ByteBuffer in = ByteBuffer.wrap(bytes(OFFER_PASSWORD + LOGIN + ASK_FOR_NAME));
        assertThat(parser.feed(in)).isInstanceOf(Greeting.class);
        assertThatIllegalStateException().isThrownBy(parser::authenticated);
        assertThat(parser.feed(in)).isInstanceOf(Login.class);
        int position = in.position();

        assertThatIllegalStateException().isThrownBy(() -> parser.feed(in));
        assertThat(in.position()).isEqualTo(position);
        parser.authenticated();

        assertThat(parser.feed(in)).isInstanceOf(Connect.class);
    }

    // ------------------------------------------------------------------ SOCKS 4 and 4a

    @ParameterizedTest
    @CsvSource({
        "0050 c0000201 00, 192.0.2.1:80",
        "0050 c0000201 626f6200, 192.0.2.1:80",
        "0050 c0000201 ff3a0a00, 192.0.2.1:80",
        "0001 00000000 00, 0.0.0.0:1",
        "0001 00000100 00, 0.0.1.0:1",
        "ffff ff000001 00, 255.0.0.1:65535",
        "01bb 00000001 00 6578616d706c652e6f726700, example.org:443",
        "01bb 000000ff 626f6200 4558414d504c452e6f72672e00, example.org:443",
        "01bb 00000001 00 3132372e302e302e3100, 127.0.0.1:443",
        "01bb 00000001 00 3a3a3100, [::1]:443",
    })
    void version4AsksForAnAddressAnd4aForAName(String request, String target) {
        String whole = "04 01 " + request;
        Outcome outcome = open(whole + "00 47 45 54");

        assertThat(outcome.messages()).containsExactly(new Connect(SocksVersion.SOCKS4, HostPort.parse(target)));
        assertThat(outcome.consumed()).isEqualTo(bytes(whole).length);
    }

    @ParameterizedTest
    @CsvSource({
        "04 00, 2, COMMAND, no command",
        "04 02, 2, COMMAND, BIND",
        "04 01 0000 c0000201 00, 9, TARGET, port 0",
        "04 01 0050 00000001 00 00, 10, TARGET, an empty name",
        "04 01 0050 00000001 00 312e3200, 13, TARGET, a name that is no host",
        "04 01 0000 00000001 00 6100, 11, TARGET, port 0 of a name",
    })
    void aRequestOfVersion4IsRefusedAtTheByteThatShowsItsFault(
            String request, int consumed, Problem problem, String what) {
        Outcome outcome = open(request + "00 01 02 03 04 05 06 07 08 09");

        assertThat(outcome.problem()).as(what).isEqualTo(problem);
        assertThat(outcome.answer()).isEqualTo("00 5b 00 00 00 00 00 00");
        assertThat(outcome.consumed()).isEqualTo(consumed);
    }

    @Test
    void userIdAndNameAreBounded() {
        String longest = "61".repeat(255);
        assertThat(target(open("04 01 0050 c0000201" + longest + "00")).host()).isEqualTo("192.0.2.1");
        assertThat(open("04 01 0050 00000001 00" + longest + "00").problem()).isEqualTo(Problem.TARGET);

        Outcome userId = open("04 01 0050 c0000201" + longest + "61".repeat(500));
        Outcome name = open("04 01 0050 00000001 00" + longest + "61".repeat(500));

        assertThat(userId.problem()).isEqualTo(Problem.TOO_LARGE);
        assertThat(userId.answer()).isEqualTo("00 5b 00 00 00 00 00 00");
        assertThat(userId.consumed()).isEqualTo(8 + 256);
        assertThat(name.problem()).isEqualTo(Problem.TOO_LARGE);
        assertThat(name.consumed()).isEqualTo(9 + 256);
    }

    @Test
    void version4IsRefusedAtOnceWhereAuthenticationIsNeeded() {
        Outcome outcome = guarded(ASK_4);

        assertThat(outcome.problem()).isEqualTo(Problem.AUTHENTICATION);
        assertThat(outcome.answer()).isEqualTo("00 5d 00 00 00 00 00 00");
        assertThat(outcome.consumed()).isEqualTo(1);
    }

    // ------------------------------------------------------------------ all versions

    @Test
    void anotherProtocolIsRefusedAtItsFirstByteWithoutAnAnswer() {
        for (int first = 0; first < 256; first++) {
            if (first == 4 || first == 5) {
                continue;
            }
            Outcome outcome = open("%02x 01 00".formatted(first));

            assertThat(outcome.problem()).isEqualTo(Problem.SYNTAX);
            assertThat(outcome.answer()).isEmpty();
            assertThat(outcome.consumed()).isEqualTo(1);
        }
    }

    @Test
    void aClientThatEndsEarlyNeedsMoreWhereverItEnds() {
        for (String whole :
                new String[] {OFFER_NONE + ASK_FOR_NAME, OFFER_PASSWORD + LOGIN + ASK_FOR_NAME, ASK_4, ASK_4A}) {
            byte[] bytes = bytes(whole);
            for (int end = 0; end < bytes.length; end++) {
                Outcome outcome = SocksFeeding.talk(false, Arrays.copyOf(bytes, end));

                assertThat(outcome.needsMore()).as("cut at %s", end).isTrue();
                assertThat(outcome.consumed()).isEqualTo(end);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true, '', ''",
        "true, 05, 05 ff",
        "true, 05 02 00, 05 ff",
        "true, 05 01 02, 01 01",
        "true, 05 01 02 01 05 61, 01 01",
        "true, 05 01 02 01 01 61 01 62, 01 01",
        "false, 05 01 00, 05 02 00 01 00 00 00 00 00 00",
        "false, 05 01 00 05 01 00 03 0b 65, 05 02 00 01 00 00 00 00 00 00",
        "false, 05 01 00 05 01 00 01 c0000201 0050, 05 02 00 01 00 00 00 00 00 00",
        "false, 04, 00 5b 00 00 00 00 00 00",
        "false, 04 01 0050 c0000201 61, 00 5b 00 00 00 00 00 00",
        "false, 04 01 0050 c0000201 00, 00 5b 00 00 00 00 00 00",
    })
    void aRefusalHasTheFormThatTheClientWaitsFor(boolean authenticates, String said, String answer)
            throws SocksException {
        SocksParser parser = new SocksParser(authenticates);
        ByteBuffer in = ByteBuffer.wrap(bytes(said));
        while (in.hasRemaining()) {
            parser.feed(in);
        }

        assertThat(hex(parser.refusal(SocksReply.NOT_ALLOWED))).isEqualTo(answer);
    }

    @Test
    void aParserHasBegunWithItsFirstByte() throws SocksException {
        SocksParser parser = new SocksParser(false);
        parser.feed(ByteBuffer.allocate(0));
        assertThat(parser.begun()).isFalse();

        parser.feed(ByteBuffer.wrap(bytes("05")));

        assertThat(parser.begun()).isTrue();
        SocksParser other = new SocksParser(false);
        assertThatThrownBy(() -> other.feed(ByteBuffer.wrap(bytes("47")))).isInstanceOf(SocksException.class);
        assertThat(other.begun()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {OFFER_NONE + ASK_FOR_NAME, ASK_4, ASK_4A})
    void aParserReadsOneRequest(String whole) throws SocksException {
        SocksParser parser = new SocksParser(false);
        ByteBuffer in = ByteBuffer.wrap(bytes(whole));
        while (in.hasRemaining()) {
            parser.feed(in);
        }

        assertThatIllegalStateException().isThrownBy(() -> parser.feed(ByteBuffer.wrap(bytes("05"))));
        assertThat(parser.begun()).isTrue();
    }

    @Test
    void aParserReadsNothingAfterARefusal() {
        SocksParser parser = new SocksParser(false);
        assertThatThrownBy(() -> parser.feed(ByteBuffer.wrap(bytes("05 00"))))
                .isInstanceOf(SocksException.class)
                .hasMessage("no authentication method is offered");

        assertThatIllegalStateException().isThrownBy(() -> parser.feed(ByteBuffer.wrap(bytes("05"))));
    }

    @ParameterizedTest
    @EnumSource(Problem.class)
    void aProblemIsARefusalWithTheStatusOfHttp(Problem problem) {
        RefusedException refusal = new SocksException(problem, "the rule").refusal();

        assertThat(refusal.reason() + " " + refusal.status())
                .isEqualTo(
                        switch (problem) {
                            case SYNTAX -> "BAD_REQUEST 400";
                            case TOO_LARGE -> "HEAD_TOO_LARGE 431";
                            case AUTHENTICATION -> "AUTHENTICATION_REQUIRED 407";
                            case COMMAND -> "NOT_IMPLEMENTED 501";
                            case ADDRESS_TYPE, TARGET -> "BAD_TARGET 400";
                        });
        assertThat(refusal).hasMessage("SOCKS: the rule");
    }
}
