package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.internal.http.BadHeadException.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the request line, which has exactly one form. */
class RequestLineTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CONNECT example.org:443 HTTP/1.1             | CONNECT example.org:443 1.1",
                "CONNECT [2001:db8::1]:443 HTTP/1.1           | CONNECT [2001:db8::1]:443 1.1",
                "GET / HTTP/1.1                               | GET / 1.1",
                "GET / HTTP/1.0                               | GET / 1.0",
                "GET /where?q=now&x=%20 HTTP/1.1              | GET /where?q=now&x=%20 1.1",
                "GET http://www.example.org/pub/a.html HTTP/1.1 | GET http://www.example.org/pub/a.html 1.1",
                "OPTIONS * HTTP/1.1                           | OPTIONS * 1.1",
                "get / HTTP/1.1                               | get / 1.1",
                "M-SEARCH * HTTP/1.1                          | M-SEARCH * 1.1",
                "!#$%&'*+-.^_`~09AZaz ! HTTP/1.1              | !#$%&'*+-.^_`~09AZaz ! 1.1",
                "X \"<>[]\\^`{}~ HTTP/1.1                     | X \"<>[]\\^`{}~ 1.1",
            },
            quoteCharacter = '\0')
    void wellFormedLinesAreRead(String line, String head) {
        assertThat(request(line + "\r\n\r\n").head()).isEqualTo(head);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                " GET / HTTP/1.1",
                "\tGET / HTTP/1.1",
                "\0GET / HTTP/1.1",
                "GET",
                "GET ",
                "GET /",
                "GET / ",
                "GET  / HTTP/1.1",
                "GET /  HTTP/1.1",
                "GET / HTTP/1.1 ",
                "GET\t/ HTTP/1.1",
                "GET /\tHTTP/1.1",
                "GET / HTTP/1.1\t",
                "GET / / HTTP/1.1",
                "GET /a b HTTP/1.1",
                "G(T / HTTP/1.1",
                "G:T / HTTP/1.1",
                "G\u00c4T / HTTP/1.1",
                "GET /\u00e4 HTTP/1.1",
                "GET /\0 HTTP/1.1",
                "GET /\u007f HTTP/1.1",
                "GET /\u0001 HTTP/1.1",
                "GET /\u000b HTTP/1.1",
                "GET / http/1.1",
                "GET / HTTP 1.1",
                "GET / HTTP/1",
                "GET / HTTP/1.",
                "GET / HTTP/11",
                "GET / HTTP/1.10",
                "GET / HTTP/1.1x",
                "GET / HTTP/01.1",
                "GET / HTTP/1,1",
                "GET / HTTP/x.1",
                "GET / HTTP/1.x",
                "GET / HTTP/-1.1",
                "GET / HTTPS/1.1",
                "GET / ICY/1.1",
                "GET /\rHTTP/1.1",
                "GET /\nHTTP/1.1",
                "\u0016\u0003\u0001\u0002\0\u0001\0\u0001",
                "\u0005\u0001\0",
            })
    void otherLinesAreRefused(String line) {
        assertThat(request(line + "\r\n\r\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/0.9", "GET / HTTP/2.0", "GET / HTTP/3.0", "GET / HTTP/9.9", "PRI * HTTP/2.0"})
    void anotherMajorVersionIsRefusedAsSuch(String line) {
        assertThat(request(line + "\r\n\r\n").problem()).isEqualTo(Problem.VERSION);
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.2", "HTTP/1.9"})
    void aHigherMinorVersionIsTakenForTheHighestKnown(String version) {
        assertThat(request("GET / " + version + "\r\n\r\n").head()).isEqualTo("GET / 1.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\n\r\n", "GET / HTTP/1.1\n\n", "GET / HTTP/1.1\nHost: a\r\n\r\n"})
    void aLineThatEndsWithLfAloneIsRefused(String text) {
        Feeding.Outcome outcome = request(text);

        assertThat(outcome.problem()).isEqualTo(Problem.SYNTAX);
        assertThat(outcome.message()).isEqualTo("a line ends with LF alone");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n", "GET / HTTP/1.1\r \n"})
    void aCrWithoutLfIsRefused(String text) {
        assertThat(request(text).message()).isEqualTo("a CR is not followed by LF");
    }

    @Test
    void oneEmptyLineBeforeTheLineIsSkipped() {
        Feeding.Outcome outcome = request("\r\nGET / HTTP/1.1\r\n\r\n");

        assertThat(outcome.head()).isEqualTo("GET / 1.1");
        assertThat(outcome.consumed()).isEqualTo(20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\r\n\r\nGET / HTTP/1.1", "\n", "\r\r\n", "\rGET / HTTP/1.1", " \r\nGET / HTTP/1.1"})
    void anythingElseBeforeTheLineIsRefused(String text) {
        assertThat(request(text + "\r\n\r\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    @Test
    void everyByteIsEitherPartOfATargetOrRefused() {
        for (int b = 0; b < 256; b++) {
            Feeding.Outcome outcome = request("GET /" + (char) b + "x HTTP/1.1\r\n\r\n");
            boolean visible = b > 0x20 && b < 0x7f;

            assertThat(outcome.problem()).as("byte %s", b).isEqualTo(visible ? null : Problem.SYNTAX);
        }
    }
}
