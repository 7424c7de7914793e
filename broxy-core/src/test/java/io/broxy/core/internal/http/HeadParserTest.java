package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static io.broxy.core.internal.http.Feeding.request;
import static io.broxy.core.internal.http.Feeding.response;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Specifies how a head is parsed, whole or in pieces, and its limits; {@link RequestLineTest}, {@link StatusLineTest}
 * and {@link FieldLinesTest} have the lines.
 */
class HeadParserTest {
    private static final String REQUEST = "GET / HTTP/1.1\r\n";
    private static final String HEAD =
            "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nProxy-Authorization: Basic eDp5\r\nA:\r\n\r\n";

    // ------------------------------------------------------------------ in pieces

    @Test
    void aHeadIsReadAlikeHoweverItIsCut() {
        Feeding.Outcome outcome = request(HEAD);

        assertThat(outcome.head())
                .isEqualTo("CONNECT example.org:443 1.1 | Host=example.org:443"
                        + " | Proxy-Authorization=Basic eDp5 | A=");
        assertThat(outcome.consumed()).isEqualTo(HEAD.length());
    }

    @Test
    @Tag("sweep")
    void anyThreePiecesMakeTheSameHead() {
        byte[] bytes = bytes(HEAD);
        String whole = request(HEAD).head();
        for (int first = 1; first < bytes.length - 1; first++) {
            for (int second = first + 1; second < bytes.length; second++) {
                Feeding.Outcome outcome =
                        Feeding.inPieces(bytes, HeadParser.request(HeadLimits.REQUEST), first, second, bytes.length);

                assertThat(outcome.head()).isEqualTo(whole);
            }
        }
    }

    @Test
    void emptyPiecesChangeNothing() throws BadHeadException {
        HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.REQUEST);
        assertThat(parser.feed(ByteBuffer.allocate(0))).isNull();
        assertThat(parser.feed(ByteBuffer.wrap(bytes("GET / HT")))).isNull();
        assertThat(parser.feed(ByteBuffer.allocate(0))).isNull();

        assertThat(parser.feed(ByteBuffer.wrap(bytes("TP/1.1\r\n\r\n")))).isNotNull();
    }

    @Test
    void aHeadThatEndsEarlyNeedsMoreWhereverItEnds() {
        for (int end = 0; end < HEAD.length(); end++) {
            assertThat(request(HEAD.substring(0, end)).needsMore())
                    .as("cut at %s", end)
                    .isTrue();
        }
        String answer = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
        for (int end = 0; end < answer.length(); end++) {
            assertThat(response(answer.substring(0, end)).needsMore())
                    .as("cut at %s", end)
                    .isTrue();
        }
    }

    @Test
    void aHeadHasBegunWithItsFirstByteAndNotWithTheEmptyLineBefore() throws BadHeadException {
        HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.REQUEST);
        assertThat(parser.begun()).isFalse();
        parser.feed(ByteBuffer.wrap(bytes("\r")));
        assertThat(parser.begun()).isFalse();
        parser.feed(ByteBuffer.wrap(bytes("\n")));
        assertThat(parser.begun()).isFalse();
        parser.feed(ByteBuffer.wrap(bytes("G")));
        assertThat(parser.begun()).isTrue();
    }

    // ------------------------------------------------------------------ bytes after the head

    @Test
    void whatFollowsTheHeadIsLeftInTheBuffer() {
        Feeding.Outcome outcome = request(HEAD + "\u0016\u0003\u0001 early bytes\r\n\r\n");

        assertThat(outcome.consumed()).isEqualTo(HEAD.length());
    }

    @Test
    void pipelinedHeadsAreReadOneAfterTheOther() throws BadHeadException {
        ByteBuffer in = ByteBuffer.wrap(bytes("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nA: b\r\n\r\nGET /3"));

        assertThat(HeadParser.request(HeadLimits.REQUEST).feed(in))
                .extracting(RequestHead::target)
                .isEqualTo("/1");
        assertThat(HeadParser.request(HeadLimits.REQUEST).feed(in))
                .extracting(RequestHead::target)
                .isEqualTo("/2");
        assertThat(in.remaining()).isEqualTo(6);
        assertThat(HeadParser.request(HeadLimits.REQUEST).feed(in)).isNull();
        assertThat(in.hasRemaining()).isFalse();
    }

    @Test
    void theBytesOfTheHeadAreItsOwn() throws BadHeadException {
        byte[] room = bytes("\r\n" + HEAD + "rest");
        RequestHead head = HeadParser.request(HeadLimits.REQUEST).feed(ByteBuffer.wrap(room));
        Arrays.fill(room, (byte) 'x');

        assertThat(head).isNotNull();
        assertThat(head.bytes()).isEqualTo(ByteBuffer.wrap(bytes(HEAD)));
        assertThat(head.target()).isEqualTo("example.org:443");
    }

    @Test
    void directBuffersAndSlicesAreReadToo() throws BadHeadException {
        ByteBuffer direct = ByteBuffer.allocateDirect(HEAD.length() + 9).position(5);
        direct.put(bytes(HEAD)).put((byte) 'z').flip().position(5);
        ByteBuffer slice = direct.slice();

        assertThat(HeadParser.request(HeadLimits.REQUEST).feed(direct)).isNotNull();
        assertThat(direct.remaining()).isEqualTo(1);
        assertThat(HeadParser.request(HeadLimits.REQUEST).feed(slice.asReadOnlyBuffer()))
                .isNotNull();
    }

    @Test
    void aParserReadsOneHead() throws BadHeadException {
        HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.REQUEST);
        assertThat(parser.feed(ByteBuffer.wrap(bytes(HEAD)))).isNotNull();

        assertThatThrownBy(() -> parser.feed(ByteBuffer.wrap(bytes(HEAD)))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aRefusedParserReadsNoMore() {
        HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.REQUEST);
        ByteBuffer in = ByteBuffer.wrap(bytes("G\nET"));

        assertThatThrownBy(() -> parser.feed(in)).isInstanceOf(BadHeadException.class);
        assertThat(in.position()).as("after the offending byte").isEqualTo(2);
        assertThatThrownBy(() -> parser.feed(in)).isInstanceOf(IllegalStateException.class);
    }

    // ------------------------------------------------------------------ limits

    @Test
    void theLimitsAreThoseOfTheDesign() {
        assertThat(HeadLimits.REQUEST).isEqualTo(new HeadLimits(16 * 1024, 128, 8 * 1024));
        assertThat(HeadLimits.RESPONSE).isEqualTo(new HeadLimits(64 * 1024, 256, 56 * 1024));
        assertThat(HeadLimits.TRAILERS).isEqualTo(HeadLimits.REQUEST);
    }

    @ParameterizedTest
    @CsvSource({"256, 128", "8192, 4096", "16384, 8192", "16385, 8193", "32768, 24576", "1048576, 1040384"})
    void aFirstLineMayHaveTheHeadButForEightKibAndHalfOfASmallOne(int headBytes, int firstLineBytes) {
        assertThat(HeadLimits.of(headBytes, 7)).isEqualTo(new HeadLimits(headBytes, 7, firstLineBytes));
    }

    @Test
    void aHeadMayBeExactlyAsLongAsItsLimit() {
        String head = REQUEST + "A: " + "x".repeat(100) + "\r\n\r\n";
        HeadLimits exact = new HeadLimits(head.length(), 10, 100);
        HeadLimits oneLess = new HeadLimits(head.length() - 1, 10, 100);

        assertThat(request(head, exact).problem()).isNull();
        assertThat(request(head, oneLess).problem()).isEqualTo(Problem.TOO_LARGE);
        assertThat(request(head, oneLess).message()).isEqualTo("the head is too large");
        assertThat(request("\r\n" + head, exact).problem())
                .as("the empty line before is not counted")
                .isNull();
    }

    @Test
    void theDefaultHeadLimitIsExact() {
        int room = 16 * 1024 - REQUEST.length() - "A: \r\n\r\n".length();

        assertThat(request(REQUEST + "A: " + "x".repeat(room) + "\r\n\r\n").problem())
                .isNull();
        assertThat(request(REQUEST + "A: " + "x".repeat(room + 1) + "\r\n\r\n").problem())
                .isEqualTo(Problem.TOO_LARGE);
        int more = 64 * 1024 - "HTTP/1.1 200 OK\r\nA: \r\n\r\n".length();
        assertThat(response("HTTP/1.1 200 OK\r\nA: " + "x".repeat(more) + "\r\n\r\n")
                        .problem())
                .isNull();
        assertThat(response("HTTP/1.1 200 OK\r\nA: " + "x".repeat(more + 1) + "\r\n\r\n")
                        .problem())
                .isEqualTo(Problem.TOO_LARGE);
    }

    @Test
    void anEndlessHeadIsRefusedAtItsLimitAndNotLater() {
        HeadLimits limits = new HeadLimits(1_000, 10, 100);
        Feeding.Outcome outcome = request(REQUEST + "A: " + "x".repeat(5_000), limits);

        assertThat(outcome.problem()).isEqualTo(Problem.TOO_LARGE);
        assertThat(outcome.consumed()).isEqualTo(1_000);
    }

    @Test
    void aFirstLineMayBeExactlyAsLongAsItsLimit() {
        HeadLimits limits = new HeadLimits(1_000, 10, 50);
        String line = "GET /" + "x".repeat(50 - "GET / HTTP/1.1".length()) + " HTTP/1.1";

        assertThat(request(line + "\r\n\r\n", limits).problem()).isNull();
        Feeding.Outcome longer = request("GET /x" + line.substring(5) + "\r\n\r\n", limits);
        assertThat(longer.problem()).isEqualTo(Problem.TARGET_TOO_LONG);
        assertThat(longer.message()).isEqualTo("the first line is too long");
        assertThat(request("G".repeat(2_000), limits).consumed())
                .as("no limit waits for the end of what it limits")
                .isEqualTo(51);
    }

    @Test
    void aStatusLineMayBeExactlyAsLongAsItsLimit() {
        HeadLimits limits = new HeadLimits(1_000, 10, 50);
        String line = "HTTP/1.1 200 " + "r".repeat(50 - "HTTP/1.1 200 ".length());

        assertThat(response(line + "\r\n\r\n", limits).problem()).isNull();
        assertThat(response(line + "r\r\n\r\n", limits).problem()).isEqualTo(Problem.TOO_LARGE);
    }

    @Test
    void theDefaultFirstLineLimitIsExact() {
        String rest = "\r\n\r\n";
        String longest = "GET /" + "x".repeat(8 * 1024 - "GET / HTTP/1.1".length()) + " HTTP/1.1";

        assertThat(request(longest + rest).problem()).isNull();
        assertThat(request("P" + longest + rest).problem()).isEqualTo(Problem.TARGET_TOO_LONG);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 8, 9, 128})
    void thereMayBeExactlyAsManyFieldsAsTheLimit(int count) {
        HeadLimits limits = new HeadLimits(16 * 1024, count, 100);

        Feeding.Outcome full = request(REQUEST + "A: b\r\n".repeat(count) + "\r\n", limits);
        assertThat(full.head()).isEqualTo("GET / 1.1" + " | A=b".repeat(count));
        Feeding.Outcome oneMore = request(REQUEST + "A: b\r\n".repeat(count + 1) + "\r\n", limits);
        assertThat(oneMore.problem()).isEqualTo(Problem.TOO_MANY_FIELDS);
        assertThat(oneMore.consumed())
                .as("refused at the first byte of the field")
                .isEqualTo(REQUEST.length() + count * "A: b\r\n".length() + 1);
    }

    @ParameterizedTest
    @CsvSource({"0, 1, 1", "-1, 1, 1", "1, -1, 1", "1, 1, 0", "1, 1, -5"})
    void limitsThatNoHeadCouldKeepAreRefused(int headBytes, int fields, int firstLineBytes) {
        assertThatIllegalArgumentException().isThrownBy(() -> new HeadLimits(headBytes, fields, firstLineBytes));
    }

    // ------------------------------------------------------------------ anything

    /** From an alphabet in which heads are likely; every way of cutting comes to one end, and nothing else is thrown. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    @Tag("sweep")
    void anythingComesToADefinedEnd(long seed) {
        String[] alphabet = {
            "GET",
            " ",
            "/",
            "HTTP/1.1",
            "\r\n",
            "\r\n",
            "A: b\r\n",
            ":",
            "\t",
            "\r",
            "\n",
            "x",
            "\0",
            "\u00ff",
            "200",
            "Host"
        };
        Random random = new Random(seed);
        HeadLimits limits = new HeadLimits(60, 3, 30);
        int heads = 0;
        int refused = 0;
        for (int i = 0; i < 1_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? REQUEST : "HTTP/1.1 200 OK\r\n");
            if (random.nextBoolean()) {
                text.setLength(random.nextInt(text.length() + 1));
            }
            for (int pieces = random.nextInt(12); pieces > 0; pieces--) {
                text.append(alphabet[random.nextInt(alphabet.length)]);
            }
            for (Feeding.Outcome outcome :
                    new Feeding.Outcome[] {request(text.toString(), limits), response(text.toString(), limits)}) {
                heads += outcome.head() != null ? 1 : 0;
                refused += outcome.problem() != null ? 1 : 0;
                assertThat(outcome.consumed()).isLessThanOrEqualTo(62);
            }
        }
        assertThat(heads).isGreaterThan(20);
        assertThat(refused).isGreaterThan(500);
    }
}
