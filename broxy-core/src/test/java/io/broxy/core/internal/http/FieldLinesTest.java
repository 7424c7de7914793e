package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.request;
import static io.broxy.core.internal.http.Feeding.response;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the field lines of both kinds of message, and how strictly those of a request are read. */
class FieldLinesTest {
    private static final String GET = "GET / HTTP/1.1\r\n";

    static Stream<Arguments> good() {
        return Stream.of(
                Arguments.of("Host: a\r\n", " | Host=a"),
                Arguments.of("Host:a\r\n", " | Host=a"),
                Arguments.of("Host: \t \ta\t \r\n", " | Host=a"),
                Arguments.of("Host:\r\n", " | Host="),
                Arguments.of("Host:  \t \r\n", " | Host="),
                Arguments.of("A: b c\td  e\r\n", " | A=b c\td  e"),
                Arguments.of("A: b:c::d\r\n", " | A=b:c::d"),
                Arguments.of("A:: b\r\n", " | A=: b"),
                Arguments.of("A: \u0080\u00e4\u00ff\r\n", " | A=\u0080\u00e4\u00ff"),
                Arguments.of("A: \"(),/:;<=>?@[\\]{}\r\n", " | A=\"(),/:;<=>?@[\\]{}"),
                Arguments.of("!#$%&'*+-.^_`|~09AZaz: x\r\n", " | !#$%&'*+-.^_`|~09AZaz=x"),
                Arguments.of("A: 1\r\na: 2\r\nA:\r\nB: 3\r\n", " | A=1 | a=2 | A= | B=3"));
    }

    @ParameterizedTest
    @MethodSource("good")
    void wellFormedLinesAreRead(String lines, String fields) {
        assertThat(request(GET + lines + "\r\n").head()).isEqualTo("GET / 1.1" + fields);
        assertThat(response("HTTP/1.1 200 OK\r\n" + lines + "\r\n").head()).isEqualTo("1.1 200 [OK]" + fields);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ":\r\n",
                ": a\r\n",
                "A\r\n",
                "A b: c\r\n",
                "A(b): c\r\n",
                "A\u00e4: b\r\n",
                "A\0: b\r\n",
                "A\u007f: b\r\n",
                "A\"b\": c\r\n",
                "A/b: c\r\n",
                "A@b: c\r\n",
                "A: b\0\r\n",
                "A:\0\r\n",
                "A: b\u0001c\r\n",
                "A: b\u0008\r\n",
                "A: b\u000bc\r\n",
                "A: b\u000cc\r\n",
                "A: b\u001bc\r\n",
                "A: b\u001fc\r\n",
                "A: b\u007fc\r\n",
            })
    void otherLinesAreRefused(String lines) {
        assertThat(request(GET + lines + "\r\n").problem()).isEqualTo(Problem.SYNTAX);
        assertThat(response("HTTP/1.1 200 OK\r\n" + lines + "\r\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    @ParameterizedTest
    @ValueSource(strings = {"A : b\r\n", "A\t: b\r\n", "A  : b\r\n", "Content-Length : 1\r\n"})
    void whiteSpaceBeforeTheColonIsRefused(String lines) {
        assertThat(request(GET + lines + "\r\n").message()).isEqualTo("white space before the colon of a field");
    }

    @ParameterizedTest
    @ValueSource(strings = {" A: b\r\n", "\tA: b\r\n", "A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A: b\r\n \r\n", " \r\n"})
    void aLineThatBeginsWithWhiteSpaceIsRefused(String lines) {
        assertThat(request(GET + lines + "\r\n").message()).isEqualTo("a field line begins with white space");
    }

    @ParameterizedTest
    @ValueSource(strings = {"A: b\n\r\n", "A: b\nC: d\r\n\r\n", "A:\n\r\n", "A\n\r\n", "\n", "A: b\r\n\n"})
    void aBareLfIsRefused(String lines) {
        assertThat(request(GET + lines).message()).isEqualTo("a line ends with LF alone");
    }

    @ParameterizedTest
    @ValueSource(strings = {"A: b\rc\r\n\r\n", "A: b\r\r\n\r\n", "A:\rb\r\n\r\n", "A: b\r\n\rX", "A: b\r\n\r\r\n"})
    void aBareCrIsRefused(String lines) {
        assertThat(request(GET + lines).message()).isEqualTo("a CR is not followed by LF");
    }

    @ParameterizedTest
    @ValueSource(strings = {"A\r\n\r\n", "A\rb: c\r\n\r\n"})
    void aNameThatIsCutByACrIsRefused(String lines) {
        assertThat(request(GET + lines).message()).isEqualTo("a field name is not a token");
    }

    @Test
    void everyByteIsEitherPartOfAValueOrRefused() {
        for (int b = 0; b < 256; b++) {
            Feeding.Outcome outcome = request(GET + "A: x" + (char) b + "x\r\n\r\n");
            boolean allowed = b == '\t' || (b >= 0x20 && b != 0x7f);

            assertThat(outcome.problem()).as("byte %s", b).isEqualTo(allowed ? null : Problem.SYNTAX);
        }
    }

    @Test
    void everyByteIsEitherPartOfANameOrRefused() {
        for (int b = 0; b < 256; b++) {
            Feeding.Outcome outcome = request(GET + "A" + (char) b + "A: x\r\n\r\n");
            boolean allowed =
                    b == ':' || (b < 0x7f && Character.isLetterOrDigit(b)) || "!#$%&'*+-.^_`|~".indexOf(b) >= 0;

            assertThat(outcome.problem()).as("byte %s", b).isEqualTo(allowed ? null : Problem.SYNTAX);
        }
    }
}
