package io.broxy.core.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies how chunks are decoded: strictly in a request, with white space after their sizes in a response. */
class ChunkedDecoderTest {
    private static final HeadLimits SMALL = new HeadLimits(40, 2, 40);

    private record Outcome(String body, @Nullable Problem problem, boolean over, int consumed, String trailers) {}

    static Stream<Arguments> chunks() {
        return Stream.of(
                arguments("5\r\nhello\r\n0\r\n\r\n", "hello"),
                arguments("0\r\n\r\n", ""),
                arguments("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
                arguments("0005\r\nhello\r\n000\r\n\r\n", "hello"),
                arguments("5;x=y\r\nhello\r\n0;last=\";,\"\r\n\r\n", "hello"),
                arguments("5;;;\r\nhello\r\n0\r\n\r\n", "hello"),
                arguments("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
                arguments("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
                arguments("0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"));
    }

    @ParameterizedTest
    @MethodSource("chunks")
    void chunksAreReadWhicheverWayTheyAreCut(String text, String body) {
        Outcome outcome = allWays(text);

        assertThat(outcome.problem()).isNull();
        assertThat(outcome.over()).isTrue();
        assertThat(outcome.body()).isEqualTo(body);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "-5\r\nhello\r\n0\r\n\r\n",
                "+5\r\nhello\r\n0\r\n\r\n",
                " 5\r\nhello\r\n0\r\n\r\n",
                "0x5\r\nhello\r\n0\r\n\r\n",
                "5h\r\nhello\r\n0\r\n\r\n",
                "g\r\n",
                ";x\r\n",
                "5\nhello\r\n0\r\n\r\n",
                "5\r\nhello\n0\r\n\r\n",
                "5\r5hello",
                "5\r\nhelloworld\r\n0\r\n\r\n",
                "5\r\nhello\r\r\n",
                "5;a\0b\r\nhello\r\n0\r\n\r\n",
                "5;a\nb\r\nhello\r\n0\r\n\r\n",
                "8000000000000000\r\n",
                "ffffffffffffffff\r\n",
                "00000000000000005\r\nhello\r\n",
                "0\r\n trailer\r\n\r\n",
                "0\r\na b\r\n\r\n",
                "0\r\na: b\r\n c\n\r\n",
                "0\r\n: b\r\n\r\n",
                "0\r\n\n",
                "0\n\r\n",
                "0\n\n",
                "\t5\r\nhello\r\n0\r\n\r\n",
                "\r\n5\r\nhello\r\n0\r\n\r\n",
                "5\r\nhello\r\n\r\n0\r\n\r\n",
                "5 5\r\nhello\r\n0\r\n\r\n",
                "5 \nhello\r\n0\r\n\r\n",
                "5 \rhello\r\n0\r\n\r\n",
                "5\u000b\r\nhello\r\n0\r\n\r\n",
                "5\0\r\nhello\r\n0\r\n\r\n",
                "5,5\r\nhello\r\n0\r\n\r\n",
                "0\r\na:b\n\r\n",
                "5\r\nhello\r\n0\r\n\r\r\n",
            })
    void anythingElseIsRefused(String text) {
        assertThat(allWays(text).problem()).isIn(Problem.FRAMING, Problem.SYNTAX);
    }

    /** The chunks are written anew, so no other parser has to know what is skipped here. */
    static Stream<Arguments> tolerated() {
        return Stream.of(
                arguments("5 \r\nhello\r\n0\r\n\r\n", "hello"),
                arguments("5   \r\nhello\r\n0  \r\n\r\n", "hello"),
                arguments("5\t \t\r\nhello\r\n0\t\r\n\r\n", "hello"),
                arguments("5 ;a=b\r\nhello\r\n0\r\n\r\n", "hello"),
                arguments("5 ; x = y\r\nhello\r\n0\t;z\r\n\r\n", "hello"),
                arguments("5 ; a = \"b;c\"\r\nhello\r\n0\r\n\r\n", "hello"),
                arguments("0005  ;\r\nhello\r\n0000 \r\n\r\n", "hello"),
                arguments("5" + " ".repeat(256) + "\r\nhello\r\n0" + "\t".repeat(256) + "\r\n\r\n", "hello"));
    }

    @ParameterizedTest
    @MethodSource("tolerated")
    void whiteSpaceAfterASizeIsSkippedInAResponseOnly(String text, String body) {
        Outcome outcome = response(text);

        assertThat(outcome.problem()).isNull();
        assertThat(outcome.over()).isTrue();
        assertThat(outcome.body()).isEqualTo(body);
        assertThat(outcome.consumed()).isEqualTo(text.length());
        assertThat(request(text).problem()).isEqualTo(Problem.FRAMING);
    }

    @Test
    void whiteSpaceAfterASizeHasAnEnd() {
        assertThat(response("5" + " ".repeat(257)).problem()).isEqualTo(Problem.FRAMING);
        assertThat(decode(("1" + " ".repeat(200) + "\r\nx\r\n").repeat(500) + "0\r\n\r\n")
                        .body())
                .as("of each size, and not of a body")
                .isEqualTo("x".repeat(500));
    }

    /** RFC 9112, sections 5.1 and 5.2, are about the trailers of a response, too; its last line end is framing. */
    @Test
    void trailersOfAResponseAreNormalised() {
        String text = "0\r\nX : y\r\nZ:\r\n a\r\n\tb \r\n\r\n";

        assertThat(response(text).trailers()).isEqualTo("X=y;Z=a b;");
        assertThat(response(text).consumed()).isEqualTo(text.length());
        assertThat(request(text).problem()).isEqualTo(Problem.SYNTAX);
        assertThat(response("0\r\n X: y\r\n\r\n").problem()).isEqualTo(Problem.SYNTAX);
        assertThat(response("0\r\nX : y\n\r\n").problem()).isEqualTo(Problem.SYNTAX);
        assertThat(response("0\r\nX y: z\r\n\r\n").problem()).isEqualTo(Problem.SYNTAX);
    }

    @Test
    void whatFollowsTheBodyIsTheNextMessage() {
        Outcome outcome = allWays("3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n");

        assertThat(outcome.body()).isEqualTo("abc");
        assertThat(outcome.consumed()).isEqualTo("3\r\nabc\r\n0\r\n\r\n".length());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "5",
                "5\r\n",
                "5\r\nhel",
                "5\r\nhello",
                "5\r\nhello\r",
                "5\r\nhello\r\n",
                "5\r\nhello\r\n0\r\n",
                "0\r\na: b\r\n"
            })
    void aBodyThatStopsEarlyIsNotOver(String text) {
        Outcome outcome = allWays(text);

        assertThat(outcome.problem()).isNull();
        assertThat(outcome.over()).isFalse();
    }

    @Test
    void trailersAreFields() {
        Outcome outcome = allWays("0\r\nExpires: never\r\nX:y\r\n\r\n");

        assertThat(outcome.trailers()).isEqualTo("Expires=never;X=y;");
    }

    @Test
    void trailersAreLimitedInNumberAndSize() {
        String exactly = "0\r\na: " + "b".repeat(40 - "a: \r\n\r\n".length()) + "\r\n\r\n";

        assertThat(allWays(exactly, SMALL).problem()).isNull();
        assertThat(allWays(exactly.replace("a:", "aa:"), SMALL).problem()).isEqualTo(Problem.TOO_LARGE);
        assertThat(allWays("0\r\na:\r\nb:\r\nc:\r\n\r\n", SMALL).problem()).isEqualTo(Problem.TOO_MANY_FIELDS);
    }

    @Test
    void extensionsAreLimitedInAllChunksTogether() {
        String chunk = "1;" + "x".repeat(1024) + "\r\ny\r\n";

        assertThat(decode(chunk.repeat(16) + "0\r\n\r\n").problem()).isNull();
        assertThat(decode(chunk.repeat(17) + "0\r\n\r\n").problem()).isEqualTo(Problem.TOO_LARGE);
    }

    @Test
    void thereAreNoTrailersBeforeTheEnd() {
        ChunkedDecoder decoder = new ChunkedDecoder(HeadLimits.TRAILERS, Tolerance.NONE);

        assertThatIllegalStateException().isThrownBy(decoder::trailers);
    }

    /** What both kinds of message come to. */
    private static Outcome allWays(String text) {
        return allWays(text, HeadLimits.TRAILERS);
    }

    private static Outcome allWays(String text, HeadLimits limits) {
        Outcome request = allWays(text, limits, Tolerance.NONE);
        Outcome response = allWays(text, limits, Tolerance.FIELDS);
        if (request.problem() == null) {
            assertThat(response).as("in a response").isEqualTo(request);
        } else { // which may be seen a byte later
            assertThat(response.problem()).as("in a response").isNotNull();
        }
        return request;
    }

    private static Outcome request(String text) {
        return allWays(text, HeadLimits.TRAILERS, Tolerance.NONE);
    }

    private static Outcome response(String text) {
        return allWays(text, HeadLimits.TRAILERS, Tolerance.FIELDS);
    }

    private static Outcome allWays(String text, HeadLimits limits, Tolerance tolerance) {
        byte[] bytes = bytes(text);
        Outcome whole = inPieces(bytes, limits, tolerance, bytes.length);
        assertThat(inPieces(bytes, limits, tolerance, 1)).as("byte by byte").isEqualTo(whole);
        for (int cut = 1; cut < bytes.length; cut++) {
            assertThat(inPieces(bytes, limits, tolerance, cut))
                    .as("in pieces of %s", cut)
                    .isEqualTo(whole);
        }
        return whole;
    }

    private static Outcome decode(String text) {
        byte[] bytes = bytes(text);
        return inPieces(bytes, HeadLimits.TRAILERS, Tolerance.FIELDS, bytes.length);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static Outcome inPieces(byte[] bytes, HeadLimits limits, Tolerance tolerance, int length) {
        ChunkedDecoder decoder = new ChunkedDecoder(limits, tolerance);
        StringBuilder body = new StringBuilder();
        int from = 0;
        while (from < bytes.length) {
            ByteBuffer in = ByteBuffer.wrap(bytes, from, Math.min(length, bytes.length - from));
            try {
                int count;
                while ((count = decoder.next(in)) > 0) {
                    body.append(StandardCharsets.ISO_8859_1.decode(in.slice().limit(count)));
                    in.position(in.position() + count);
                }
                if (count == BodyDecoder.END) {
                    return new Outcome(body.toString(), null, true, in.position(), describe(decoder.trailers()));
                }
            } catch (BadHeadException e) {
                return new Outcome("", e.problem(), false, in.position(), "");
            }
            assertThat(in.hasRemaining()).as("bytes left though more is needed").isFalse();
            from = in.limit();
        }
        return new Outcome(body.toString(), null, decoder.isOver(), from, "");
    }

    private static String describe(Fields fields) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < fields.size(); i++) {
            text.append(fields.name(i)).append('=').append(fields.value(i)).append(';');
        }
        return text.toString();
    }
}
