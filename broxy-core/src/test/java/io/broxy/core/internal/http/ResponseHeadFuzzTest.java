package io.broxy.core.internal.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.core.testkit.Pieces;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Specifies that response heads and their framing are parsed as the grammar and Netty have them. */
class ResponseHeadFuzzTest {
    /** Small, so that inputs reach them. */
    private static final HeadLimits LIMITS = new HeadLimits(1024, 8, 256);

    private static final int LONGEST_BODY = 64;
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int RESET_CONTENT = 205;
    private static final byte[] NEXT = "HTTP/1.1 299 Next\r\n\r\n".getBytes(ISO_8859_1);

    @DictionaryEntries({
        "HTTP/1.1 200 OK\\x0d\\x0a",
        "HTTP/1.0 ",
        "HTTP/1.1 ",
        "100",
        "204",
        "304",
        "407",
        "\\x0d\\x0a",
        "\\x0d\\x0a\\x0d\\x0a",
        "Content-Length: ",
        "Content-Length : 0005",
        "5, 5",
        "chunked,",
        "\\x0d\\x0a ",
        "\\x0a\\x09",
        " :",
        "HTTP/1.1  200\\x0a",
        "Transfer-Encoding: chunked",
        "chunked",
        "Connection: close",
        "\\x0a",
        "\\x09",
        " ",
        ":",
        "\\xff"
    })
    @FuzzTest
    void aResponseHeadIsWhatTheGrammarSaysAndEndsWhereNettyEndsIt(byte[] bytes) {
        Pieces.Outcome outcome = Pieces.outcome(bytes, Parsing::new);
        HeadGrammar.@Nullable Head expected = HeadGrammar.response(bytes, LIMITS);

        assertThat(outcome.complete()).isEqualTo(expected != null);
        assertThat(outcome.consumed()).isLessThanOrEqualTo(LIMITS.headBytes());
        if (expected != null) {
            assertThat(outcome.result()).isEqualTo(expected.toString());
            assertThat(outcome.consumed()).isEqualTo(expected.end());
            checkAccepted(expected);
        }
    }

    /** Describes what it read as the grammar would. */
    private static final class Parsing implements Pieces.Parser {
        private final HeadParser<ResponseHead> parser = HeadParser.response(LIMITS);
        private int consumed;

        @Override
        public @Nullable Object feed(ByteBuffer in) throws BadHeadException {
            int before = in.position();
            ResponseHead head = parser.feed(in);
            consumed += in.position() - before;
            return head == null ? null : asInGrammar(head, consumed).toString();
        }
    }

    private static HeadGrammar.Head asInGrammar(ResponseHead head, int end) {
        String text = ISO_8859_1.decode(head.bytes()).toString();
        List<HeadGrammar.Field> fields = HeadGrammar.fields(head.fields());
        return new HeadGrammar.Head(
                text, String.valueOf(head.status()), head.reason(), head.minorVersion(), fields, end);
    }

    private static void checkAccepted(HeadGrammar.Head expected) {
        ResponseHead head = Feeding.responseHead(expected.text());
        assertThat(asInGrammar(head, expected.end())).isEqualTo(expected);
        try {
            BodyFraming framing = BodyFraming.ofResponse(head, "GET");
            checkAgainstNetty(head, expected, framing);
            assertThat(BodyFraming.ofResponse(head, "HEAD")).isEqualTo(BodyFraming.NONE);
            assertThat(BodyFraming.ofResponse(head, "CONNECT"))
                    .isEqualTo(head.isSuccessful() ? BodyFraming.NONE : framing);
        } catch (BadHeadException e) {
            assertThat(e.problem()).isIn(BadHeadException.Problem.FRAMING, BadHeadException.Problem.CODING);
        }
    }

    private static boolean isRegular(HeadGrammar.Head head) {
        long lengths = head.fields().stream()
                .filter(field -> field.name().equalsIgnoreCase("Content-Length"))
                .count();
        long codings = head.fields().stream()
                .filter(field -> field.name().equalsIgnoreCase("Transfer-Encoding"))
                .count();
        boolean plain = head.fields().stream()
                .filter(ResponseHeadFuzzTest::isFraming)
                .allMatch(field -> field.value().matches("0|[1-9][0-9]*|(?i:chunked)"));
        return HeadGrammar.isStrict(head.text()) && lengths + codings <= 1 && plain;
    }

    /** As a client would get it, but for the fields that are for one hop. */
    private static String normalised(ResponseHead head, BodyFraming framing) {
        StringBuilder text =
                new StringBuilder("HTTP/1." + head.minorVersion() + " " + head.status() + " " + head.reason() + "\r\n");
        for (HeadGrammar.Field field : withoutFraming(HeadGrammar.fields(head.fields()))) {
            text.append(field.name()).append(": ").append(field.value()).append("\r\n");
        }
        switch (framing.kind()) {
            case LENGTH ->
                text.append("Content-Length: ").append(framing.length()).append("\r\n");
            case CHUNKED -> text.append("Transfer-Encoding: chunked\r\n");
            case NONE, UNTIL_CLOSE -> {}
        }
        return text.append("\r\n").toString();
    }

    private static List<HeadGrammar.Field> withoutFraming(List<HeadGrammar.Field> fields) {
        return fields.stream().filter(field -> !isFraming(field)).toList();
    }

    private static boolean isFraming(HeadGrammar.Field field) {
        return field.name().equalsIgnoreCase("Content-Length") || field.name().equalsIgnoreCase("Transfer-Encoding");
    }

    /**
     * The response, a body of the length that was found, and another response: Netty has to see two just like that. It
     * refuses chunks in versions above 1.1, which are 1.1 here (RFC 9110, section 2.5), so it does not get to see those.
     */
    private static void checkAgainstNetty(ResponseHead parsed, HeadGrammar.Head expected, BodyFraming framing) {
        if (parsed.status() == SWITCHING_PROTOCOLS || parsed.status() == RESET_CONTENT) {
            return; // Netty leaves HTTP with 101, and reads no body of 205 even if a length says that there is one
        }
        if (framing.kind() == BodyFraming.Kind.NONE && !hasSaneFraming(parsed.fields())) {
            return; // it has no meaning there (RFC 9112, section 6.3), but Netty refuses it
        }
        HttpResponseDecoder decoder = new HttpResponseDecoder(
                new HttpDecoderConfig().setMaxInitialLineLength(4096).setMaxHeaderSize(4096));
        boolean tooLong = framing.length() > LONGEST_BODY;
        boolean untilClose = framing.kind() == BodyFraming.Kind.UNTIL_CLOSE;
        String body = untilClose ? "all" : "x".repeat((int) (tooLong ? 1 : framing.length()));
        String sent = framing.kind() == BodyFraming.Kind.CHUNKED ? "3\r\nabc\r\n0\r\n\r\n" : body;
        boolean goesOn = tooLong || untilClose;
        String head = isRegular(expected)
                ? "HTTP/1." + expected.minor() + expected.text().substring("HTTP/1.x".length())
                : normalised(parsed, framing);

        List<NettyPeer.Message> messages = NettyPeer.messages(
                decoder, head.getBytes(ISO_8859_1), sent.getBytes(ISO_8859_1), goesOn ? new byte[0] : NEXT);

        assertThat(messages).hasSize(goesOn ? 1 : 2);
        NettyPeer.Message first = messages.get(0);
        HttpResponse response = (HttpResponse) first.head();
        assertThat(response.status().code()).isEqualTo(parsed.status());
        assertThat(response.status().reasonPhrase().trim())
                .isEqualTo(expected.two().trim());
        assertThat(Math.min(1, response.protocolVersion().minorVersion())).isEqualTo(expected.minor());
        assertThat(withoutFraming(first.fields())).isEqualTo(withoutFraming(expected.fields()));
        assertThat(first.ended()).isEqualTo(!goesOn);
        assertThat(first.body()).isEqualTo(framing.kind() == BodyFraming.Kind.CHUNKED ? "abc" : body);
        if (!goesOn) {
            assertThat(((HttpResponse) messages.get(1).head()).status().code()).isEqualTo(299);
        }
    }

    private static boolean hasSaneFraming(Fields fields) {
        return fields.count("Transfer-Encoding") == 0
                && fields.count("Content-Length") <= 1
                && fields.values("Content-Length").stream().allMatch(value -> value.matches("[0-9]{1,18}"));
    }
}
