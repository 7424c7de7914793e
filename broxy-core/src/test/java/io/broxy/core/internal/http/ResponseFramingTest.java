package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.responseHead;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.core.internal.http.BadHeadException.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the end of a response is found (RFC 9112, section 6.3), and where that is in doubt. */
class ResponseFramingTest {

    private static ResponseHead head(String line, String... fields) {
        StringBuilder text = new StringBuilder(line).append("\r\n");
        for (String field : fields) {
            text.append(field).append("\r\n");
        }
        return responseHead(text + "\r\n");
    }

    private static BodyFraming framing(String... fields) throws BadHeadException {
        return BodyFraming.ofResponse(head("HTTP/1.1 200 OK", fields), "GET");
    }

    private static Problem problem(ResponseHead head) {
        BadHeadException refusal =
                catchThrowableOfType(BadHeadException.class, () -> BodyFraming.ofResponse(head, "GET"));
        assertThat(refusal).as("a refusal").isNotNull();
        return refusal.problem();
    }

    private static Problem problem(String... fields) {
        return problem(head("HTTP/1.1 200 OK", fields));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0                          | 0",
                "00000000000000000000000000 | 0",
                "0000344                    | 344",
                "010                        | 10",
                "5, 5                       | 5",
                "5,05 , 5                   | 5",
                "5,                         | 5",
                "', ,5'                     | 5",
                "9223372036854775807        | 9223372036854775807",
                "000009223372036854775807   | 9223372036854775807",
            })
    void aLengthIsADecimalNumberThatMayBeSaidAgain(String value, long length) throws BadHeadException {
        assertThat(framing("Content-Length: " + value)).isEqualTo(BodyFraming.length(length));
        assertThat(framing("Content-Length: " + value, "A: b", "content-length:\t" + length))
                .isEqualTo(BodyFraming.length(length));
    }

    @Test
    void aLengthMayHaveAsManyZerosAsTheHeadHolds() throws BadHeadException {
        assertThat(framing("Content-Length: " + "0".repeat(60_000) + "5")).isEqualTo(BodyFraming.length(5));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                " , ,",
                "-1",
                "+1",
                "-0",
                "1 2",
                "5, 6",
                "5, x",
                "5, -5",
                "1;1",
                "0x10",
                "1e3",
                "1.0",
                "5 bytes",
                "\u00b2",
                "\"1\"",
                "9223372036854775808",
                "18446744073709551621",
                "99999999999999999999999999",
                "5, 9223372036854775808",
            })
    void anyOtherLengthIsRefused(String value) {
        assertThat(problem("Content-Length: " + value)).isEqualTo(Problem.FRAMING);
        assertThat(problem("Content-Length: 5", "Content-Length: " + value)).isEqualTo(Problem.FRAMING);
        assertThat(problem("Content-Length: " + value, "Content-Length: 5")).isEqualTo(Problem.FRAMING);
    }

    @ParameterizedTest
    @ValueSource(strings = {"chunked", "Chunked", "chunked,", ",chunked", " , \tCHUNKED\t , ,"})
    void chunkedIsTheOneCoding(String value) throws BadHeadException {
        assertThat(framing("Transfer-Encoding: " + value)).isEqualTo(BodyFraming.CHUNKED);
        assertThat(framing("Transfer-Encoding: ,", "Transfer-Encoding: " + value, "Transfer-Encoding:"))
                .isEqualTo(BodyFraming.CHUNKED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip, chunked", "gzip,,chunked", "deflate, gzip, chunked,", "x-own;level=9, chunked"})
    void anotherCodingBeforeChunkedIsUnknown(String value) {
        assertThat(problem("Transfer-Encoding: " + value)).isEqualTo(Problem.CODING);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "identity",
                "gzip",
                "chunked, gzip",
                "chunked, chunked",
                "chunked,,chunked",
                "chunked;q=1",
                "chunked chunked",
                "xchunked",
                "\"chunked\"",
                "chunked\u00a0",
                "chunked, identity",
                "identity, chunked;",
            })
    void codingsThatFrameNothingAreRefused(String value) {
        assertThat(problem("Transfer-Encoding: " + value)).isEqualTo(Problem.FRAMING);
        assertThat(problem("Transfer-Encoding: " + value, "Content-Length: 5")).isEqualTo(Problem.FRAMING);
    }

    @Test
    void chunkedIsNotSaidTwice() {
        assertThat(problem("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"))
                .isEqualTo(Problem.FRAMING);
        assertThat(problem("Transfer-Encoding: chunked", "Transfer-Encoding: gzip"))
                .isEqualTo(Problem.FRAMING);
    }

    /** Readers that know no folds would find the end of the message elsewhere; Squid refuses them, too. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length:\r\n 5",
                "content-length: 5,\r\n 5",
                "Content-Length: 5,\n\t5\n",
                "Transfer-Encoding:\r\n chunked",
                "Transfer-Encoding: gzip,\r\n chunked",
                "A: b\r\nTRANSFER-ENCODING :\n chunked",
            })
    void aFieldThatFramesTheMessageIsNotFolded(String lines) throws BadHeadException {
        assertThat(problem(lines)).isEqualTo(Problem.FRAMING);
        assertThat(problem("Z: y\r\n x", lines)).isEqualTo(Problem.FRAMING);
        assertThat(BodyFraming.ofResponse(head("HTTP/1.1 200 OK", lines), "HEAD"))
                .isEqualTo(BodyFraming.NONE);
        assertThat(BodyFraming.ofResponse(head("HTTP/1.1 200 OK", lines), "CONNECT"))
                .isEqualTo(BodyFraming.NONE);
    }

    @Test
    void foldsElsewhereAreOfNoMatter() throws BadHeadException {
        assertThat(framing("A: b\r\n c", "Content-Length: 5", "X-Content-Length: a\r\n b"))
                .isEqualTo(BodyFraming.length(5));
        assertThat(framing("Content-Length: 5\r\n ", "A: b")).isEqualTo(BodyFraming.length(5));
    }

    @Test
    void aCodingOverridesALength() throws BadHeadException {
        ResponseHead both = head("HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked");

        assertThat(BodyFraming.ofResponse(both, "GET")).isEqualTo(BodyFraming.CHUNKED);
        assertThat(BodyFraming.isContradictory(both.fields())).isTrue();
        assertThat(BodyFraming.isContradictory(
                        head("HTTP/1.1 200 OK", "Content-Length: 5").fields()))
                .isFalse();
    }

    @Test
    void http10KnowsNoTransferEncoding() {
        assertThat(problem(head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked")))
                .isEqualTo(Problem.FRAMING);
        assertThat(problem(head("HTTP/1.0 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked")))
                .isEqualTo(Problem.FRAMING);
    }

    @ParameterizedTest
    @ValueSource(strings = {"100", "101", "199", "204", "304"})
    void someStatusesHaveNoBodyWhateverTheySay(String status) throws BadHeadException {
        assertThat(BodyFraming.ofResponse(
                        head("HTTP/1.1 " + status, "Content-Length: x", "Transfer-Encoding: y"), "GET"))
                .isEqualTo(BodyFraming.NONE);
    }
}
