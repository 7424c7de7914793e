package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static io.broxy.core.internal.http.Feeding.request;
import static io.broxy.core.internal.http.Feeding.response;
import static io.broxy.core.internal.http.Feeding.responseHead;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies which deviations from the grammar are accepted in the head of a response, because they cannot be misread,
 * and how they are normalized. Each text is parsed whole, byte by byte, and cut at every index; in a request each is
 * refused.
 */
class ToleratedHeadTest {
    private static final String OK = "HTTP/1.1 200 OK\r\n";

    private static Arguments fields(String lines, String normalised) {
        return Arguments.of(lines, normalised);
    }

    static Stream<Arguments> tolerated() {
        return Stream.of(
                // white space before the colon (RFC 9112, section 5.1)
                fields("A : b\r\n", "A: b\r\n"),
                fields("A\t: b\r\n", "A: b\r\n"),
                fields("A \t  : b\r\n", "A: b\r\n"),
                fields("A :b\r\n", "A: b\r\n"),
                fields("A :\r\n", "A: \r\n"),
                fields("X-XSS-Protection : 1\r\nB: c\r\n", "X-XSS-Protection: 1\r\nB: c\r\n"),
                fields("Content-Length : 5\r\n", "Content-Length: 5\r\n"),
                fields("Transfer-Encoding\t: chunked\r\n", "Transfer-Encoding: chunked\r\n"),
                // obs-fold (section 5.2)
                fields("A: b\r\n c\r\n", "A: b c\r\n"),
                fields("A: b\r\n\tc\r\n", "A: b c\r\n"),
                fields("A: b \t\r\n \t c  d\r\n", "A: b c  d\r\n"),
                fields("A: b\r\n c\r\n d\r\n\te\r\nF: g\r\n", "A: b c d e\r\nF: g\r\n"),
                fields("A:\r\n b\r\n", "A: b\r\n"),
                fields("A: \r\n\t\r\n b\r\n", "A: b\r\n"),
                fields("A: b\r\n \r\n", "A: b\r\n"),
                fields("A: b\r\n \r\n c\r\n", "A: b c\r\n"),
                fields("A: b\r\n C: d\r\n", "A: b C: d\r\n"),
                fields("A: b\r\n : d\r\n", "A: b : d\r\n"),
                fields("A: b\r\n \u00e4\r\n", "A: b \u00e4\r\n"),
                // a LF alone (section 2.2)
                fields("A: b\n", "A: b\r\n"),
                fields("A: b\nC: d\r\nE:\nF: \n", "A: b\r\nC: d\r\nE: \r\nF: \r\n"),
                // together
                fields("A : b\n c\n\td\r\nE\t:f\n", "A: b c d\r\nE: f\r\n"),
                fields("Set-Cookie : a\r\nset-cookie:  b \r\n", "Set-Cookie: a\r\nset-cookie: b\r\n"));
    }

    @ParameterizedTest
    @MethodSource("tolerated")
    void fieldsAreNormalised(String lines, String normalised) {
        String expected = response(OK + normalised + "\r\n").head();
        for (String end : new String[] {"\r\n", "\n"}) {
            Feeding.Outcome outcome = response(OK + lines + end + "body");
            assertThat(outcome.head()).isEqualTo(expected);
            assertThat(outcome.consumed()).isEqualTo((OK + lines + end).length());
            assertThat(lines(responseHead(OK + lines + end).fields())).isEqualTo(normalised);
        }
        assertThat(request("GET / HTTP/1.1\r\n" + lines + "\r\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    private static String lines(Fields fields) {
        ByteBuffer out = ByteBuffer.allocate(fields.linesLength());
        fields.putLines(0, fields.size(), out);
        assertThat(out.hasRemaining()).isFalse();
        return ISO_8859_1.decode(out.flip()).toString();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\n\n",
                "HTTP/1.1 200 OK\r\n\n",
                "HTTP/1.1 200 OK\n\r\n",
            })
    void anyLineMayEndWithLfAlone(String head) {
        assertThat(response(head + "\n").head()).isEqualTo("1.1 200 [OK]");
        assertThat(response(head + "\n").consumed()).isEqualTo(head.length());
    }

    @Test
    void aStatusLineMayEndWithLfAloneAfterItsStatus() {
        assertThat(response("HTTP/1.0 200\nA: b\n\n").head()).isEqualTo("1.0 200 [] | A=b");
        assertThat(response("HTTP/1.0 200 \nA: b\n\n").head()).isEqualTo("1.0 200 [] | A=b");
        assertThat(response("HTTP/1.0\n\n").problem()).isEqualTo(Problem.SYNTAX);
        assertThat(response("HTTP/1.0 20\n\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    /** What regular heads are written with is not touched. */
    @Test
    void aHeadWithoutAnythingToRepairKeepsItsBytes() {
        String lines = "A:b\r\nC:  d \r\nE:\t\r\n";

        assertThat(lines(responseHead(OK + lines + "\r\n").fields())).isEqualTo(lines);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // before the first field nothing can be folded (section 2.2)
                " A: b\r\n\r\n",
                "\tA: b\r\n\r\n",
                " \r\n\r\n",
                " \n\n",
                // within a name
                "A b: c\r\n\r\n",
                "A b : c\r\n\r\n",
                "A\tb: c\r\n\r\n",
                "A \r\n: b\r\n\r\n",
                "A\r\n : b\r\n\r\n",
                "A\n: b\n\n",
                "A \n\n",
                "A : b\r\nC d: e\r\n\r\n",
                ": b\r\n\r\n",
                " : b\r\n\r\n",
                // CR
                "A: b\rc\r\n\r\n",
                "A: b\r\r\n\r\n",
                "A: b\r c\r\n\r\n",
                "A: b\n\r\r\n",
                "A: b\n\rX",
                "A\r: b\r\n\r\n",
                // control characters
                "A: b\0\n\n",
                "A: b\r\n \0c\r\n\r\n",
                "A: b\r\n \u000bc\r\n\r\n",
                "A: b\r\n\u000cc\r\n\r\n",
                "A\u000b: b\r\n\r\n",
                "A\0: b\r\n\r\n",
                "A: b\u007f\n\n",
                "A\u00a0: b\r\n\r\n",
                "A: b\r\n\u00a0c\r\n\r\n",
            })
    void whatCouldBeMisreadIsRefused(String lines) {
        assertThat(response(OK + lines).problem()).isEqualTo(Problem.SYNTAX);
    }

    @Test
    void theLimitsHoldForWhatIsReceived() {
        HeadLimits limits = new HeadLimits(100, 3, 50);
        String fits = "HTTP/1.1 200\n" + "a:\n".repeat(3) + "\n";
        String full = "HTTP/1.1 200\nA : " + "x".repeat(100 - 13 - 4 - 2) + "\n\n";

        assertThat(response(fits, limits).head()).isEqualTo("1.1 200 []" + " | a=".repeat(3));
        assertThat(response(full, limits).consumed()).isEqualTo(100);
        assertThat(response(full, limits).problem()).isNull();
        assertThat(response(full.replace("A", "AB"), limits).problem()).isEqualTo(Problem.TOO_LARGE);
        assertThat(response(OK + "a:\n".repeat(4) + "\n", limits).problem()).isEqualTo(Problem.TOO_MANY_FIELDS);
        assertThat(response(OK + "a: b\r\n" + " c\r\n".repeat(10) + "\r\n", limits)
                        .problem())
                .as("a fold makes no field")
                .isNull();
    }

    @Test
    void oneEmptyLineMayStandBeforeAnAnswerToConnect() {
        for (String before : new String[] {"\r\n", "\n"}) {
            Feeding.Outcome outcome = Feeding.allWays(
                    bytes(before + OK + "\r\nx"), () -> HeadParser.connectResponse(HeadLimits.RESPONSE));
            assertThat(outcome.head()).isEqualTo("1.1 200 [OK]");
            assertThat(outcome.consumed()).isEqualTo((before + OK + "\r\n").length());
            assertThat(response(before + OK + "\r\n").problem())
                    .as("what is forwarded comes over a kept connection")
                    .isEqualTo(Problem.SYNTAX);
        }
        for (String before : new String[] {"\r\n\r\n", "\n\n", " \r\n", "\r"}) {
            assertThat(Feeding.allWays(
                                    bytes(before + OK + "\r\n"), () -> HeadParser.connectResponse(HeadLimits.RESPONSE))
                            .problem())
                    .isEqualTo(Problem.SYNTAX);
        }
    }

    /** Whatever is accepted is, once it is normalised, accepted by a strict reader, and with the same fields. */
    @Test
    @Tag("sweep")
    void normalisedLinesAreOfTheGrammar() {
        String[] alphabet = {"A", "b", ":", " ", "\t", "\r\n", "\n", "A : b", "C: d", "\r\n ", "\n\t", "\u00e4", ","};
        Random random = new Random(5112);
        int accepted = 0;
        for (int i = 0; i < 2_000; i++) {
            StringBuilder text = new StringBuilder("A: b");
            for (int left = random.nextInt(14); left > 0; left--) {
                text.append(alphabet[random.nextInt(alphabet.length)]);
            }
            Feeding.Outcome outcome = response(OK + text + "\r\n\r\n");
            if (outcome.head() != null) {
                ResponseHead head = responseHead(OK + text + "\r\n\r\n");
                Feeding.Outcome strict = request("GET / HTTP/1.1\r\n" + lines(head.fields()) + "\r\n");
                assertThat("1.1 200 [OK]" + String.valueOf(strict.head()).substring("GET / 1.1".length()))
                        .isEqualTo(outcome.head());
                accepted++;
            }
        }
        assertThat(accepted).isGreaterThan(200);
    }

    @Test
    void aLongHeadMayComeByteByByte() throws BadHeadException {
        byte[] head = bytes(OK + "A: " + "x".repeat(60_000) + "\n\n");
        HeadParser<ResponseHead> parser = HeadParser.response(HeadLimits.RESPONSE);
        ByteBuffer in = ByteBuffer.wrap(head);
        ResponseHead read = null;
        for (int i = 1; i <= head.length; i++) {
            read = parser.feed(in.limit(i));
        }
        assertThat(read).isNotNull();
        assertThat(read.fields().value(0)).hasSize(60_000);
    }
}
