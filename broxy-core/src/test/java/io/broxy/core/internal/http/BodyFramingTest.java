package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.requestHead;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.broxy.core.internal.http.BadHeadException.Problem;
import io.broxy.core.internal.http.BodyFraming.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how the end of a request is found (RFC 9112, section 6.3), and what is refused. */
class BodyFramingTest {

    private static RequestHead head(String line, String... fields) {
        StringBuilder text = new StringBuilder(line).append("\r\nHost: a\r\n");
        for (String field : fields) {
            text.append(field).append("\r\n");
        }
        return requestHead(text + "\r\n");
    }

    private static BodyFraming post(String... fields) throws BadHeadException {
        return BodyFraming.ofRequest(head("POST / HTTP/1.1", fields));
    }

    private static Problem problemOf(RequestHead head) {
        BadHeadException refusal = catchThrowableOfType(BadHeadException.class, () -> BodyFraming.ofRequest(head));
        assertThat(refusal).as("a refusal").isNotNull();
        return refusal.problem();
    }

    private static Problem problemOfPost(String... fields) {
        return problemOf(head("POST / HTTP/1.1", fields));
    }

    @Test
    void aRequestWithoutFramingFieldsHasNoBody() throws BadHeadException {
        assertThat(post()).isEqualTo(BodyFraming.NONE);
        assertThat(post("Content-Lengths: 5", "X-Transfer-Encoding: chunked")).isEqualTo(BodyFraming.NONE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 9, 10, 1_234_567, Integer.MAX_VALUE, 4_294_967_296L, Long.MAX_VALUE})
    void aLengthIsADecimalNumber(long length) throws BadHeadException {
        assertThat(post("Content-Length: " + length)).isEqualTo(BodyFraming.length(length));
        assertThat(post("content-length:\t" + length + " ")).isEqualTo(new BodyFraming(Kind.LENGTH, length));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-1",
                "+1",
                "1 2",
                "1,1",
                "1, 1",
                "1;1",
                "0x10",
                "1e3",
                "1.0",
                "01",
                "00",
                "007",
                "\u00b2",
                "1\u00e4",
                "\"1\"",
                "one",
                "9223372036854775808",
                "18446744073709551616",
                "99999999999999999999999999",
            })
    void anyOtherLengthIsRefused(String value) {
        assertThat(problemOfPost("Content-Length: " + value)).isEqualTo(Problem.FRAMING);
    }

    @ParameterizedTest
    @CsvSource({"5, 5", "5, 6", "0, 0", "0, 5"})
    void aRepeatedLengthIsRefusedEvenWhenItIsTheSame(String one, String other) {
        assertThat(problemOfPost("Content-Length: " + one, "Content-Length: " + other))
                .isEqualTo(Problem.FRAMING);
        assertThat(problemOfPost("Content-Length: " + one, "A: b", "CONTENT-LENGTH: " + other))
                .isEqualTo(Problem.FRAMING);
    }

    @ParameterizedTest
    @ValueSource(strings = {"chunked", "Chunked", "CHUNKED", "\tchunked "})
    void chunkedAloneIsRead(String value) throws BadHeadException {
        assertThat(post("Transfer-Encoding: " + value)).isEqualTo(BodyFraming.CHUNKED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip, chunked", "gzip,chunked", "deflate, gzip, chunked", "x-own;level=9, chunked"})
    void anotherCodingBeforeChunkedIsWellFormedButUnknown(String value) {
        assertThat(problemOfPost("Transfer-Encoding: " + value)).isEqualTo(Problem.CODING);
    }

    @Test
    void codingsInSeveralLinesAreOneList() {
        assertThat(problemOfPost("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"))
                .isEqualTo(Problem.CODING);
        assertThat(problemOfPost("Transfer-Encoding: chunked", "Transfer-Encoding: gzip"))
                .isEqualTo(Problem.FRAMING);
        assertThat(problemOfPost("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"))
                .isEqualTo(Problem.FRAMING);
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
                "chunked,",
                ",chunked",
                "gzip,,chunked",
                "chunked;q=1",
                "gzip, chunked;q=1",
                "xchunked",
                "chunkedx",
                "chunked chunked",
                "\"chunked\"",
                "chun ked",
                "chunked\u00a0",
                "chunked, identity",
            })
    void codingsThatFrameNothingAreRefused(String value) {
        assertThat(problemOfPost("Transfer-Encoding: " + value)).isEqualTo(Problem.FRAMING);
    }

    @Test
    void bothFieldsTogetherAreRefusedInEitherOrder() {
        assertThat(problemOfPost("Content-Length: 5", "Transfer-Encoding: chunked"))
                .isEqualTo(Problem.FRAMING);
        assertThat(problemOfPost("Transfer-Encoding: chunked", "Content-Length: 5"))
                .isEqualTo(Problem.FRAMING);
        assertThat(problemOfPost("Transfer-Encoding: gzip, chunked", "Content-Length: 0"))
                .isEqualTo(Problem.FRAMING);
    }

    @Test
    void http10KnowsNoTransferEncoding() throws BadHeadException {
        assertThat(problemOf(head("POST / HTTP/1.0", "Transfer-Encoding: chunked")))
                .isEqualTo(Problem.FRAMING);
        assertThat(BodyFraming.ofRequest(head("POST / HTTP/1.0", "Content-Length: 7")))
                .isEqualTo(BodyFraming.length(7));
    }

    @Test
    void connectHasNoBodyAndMayNotAnnounceOne() throws BadHeadException {
        String connect = "CONNECT a:443 HTTP/1.1";

        assertThat(BodyFraming.ofRequest(head(connect))).isEqualTo(BodyFraming.NONE);
        assertThat(BodyFraming.ofRequest(head(connect, "Content-Length: 0"))).isEqualTo(BodyFraming.NONE);
        assertThat(problemOf(head(connect, "Content-Length: 1"))).isEqualTo(Problem.FRAMING);
        assertThat(problemOf(head(connect, "Content-Length: x"))).isEqualTo(Problem.FRAMING);
        assertThat(problemOf(head(connect, "Transfer-Encoding: chunked"))).isEqualTo(Problem.FRAMING);
        assertThat(problemOf(head(connect, "Transfer-Encoding: gzip, chunked"))).isEqualTo(Problem.FRAMING);
    }

    @Test
    void aLengthGoesWithItsKindOnly() {
        assertThatIllegalArgumentException().isThrownBy(() -> BodyFraming.length(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> new BodyFraming(Kind.CHUNKED, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new BodyFraming(Kind.NONE, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new BodyFraming(Kind.UNTIL_CLOSE, 1));
    }

    @Test
    void aBodyIsEmptyWhenNoByteFollows() {
        assertThat(BodyFraming.NONE.isEmpty()).isTrue();
        assertThat(BodyFraming.length(0).isEmpty()).isTrue();
        assertThat(BodyFraming.length(1).isEmpty()).isFalse();
        assertThat(BodyFraming.CHUNKED.isEmpty()).isFalse();
        assertThat(BodyFraming.UNTIL_CLOSE.isEmpty()).isFalse();
    }
}
