package io.broxy.core.internal.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.core.testkit.Pieces;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Specifies that request heads are parsed as the grammar and Netty have them, and Host as the JDK's URI has it. */
class RequestHeadFuzzTest {
    /** Small, so that inputs reach them. */
    private static final HeadLimits LIMITS = new HeadLimits(1024, 8, 256);

    private static final int EMPTY_LINE = 2;
    private static final int LONGEST_BODY = 64;
    private static final byte[] NEXT = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n".getBytes(ISO_8859_1);

    @DictionaryEntries({
        "CONNECT ", "GET ", " HTTP/1.1\\x0d\\x0a", " HTTP/1.0\\x0d\\x0a", "HTTP/2.0", "\\x0d\\x0a",
                "\\x0d\\x0a\\x0d\\x0a", "Host: ", "Content-Length: ",
        "Transfer-Encoding: chunked", "transfer-encoding:", "chunked", "gzip, chunked", "\\x0a", "\\x09", " :", ": ",
                "[::1]:443",
        "http://example.org/", "Connection: close", "0", "\\xff"
    })
    @FuzzTest
    void aRequestHeadIsWhatTheGrammarSaysAndEndsWhereNettyEndsIt(byte[] bytes) {
        Pieces.Outcome outcome = Pieces.outcome(bytes, Parsing::new);
        HeadGrammar.@Nullable Head expected = HeadGrammar.request(bytes, LIMITS);

        assertThat(outcome.complete()).isEqualTo(expected != null);
        assertThat(outcome.consumed()).isLessThanOrEqualTo(LIMITS.headBytes() + EMPTY_LINE);
        if (expected != null) {
            assertThat(outcome.result()).isEqualTo(expected.toString());
            assertThat(outcome.consumed()).isEqualTo(expected.end());
            checkAccepted(expected);
        }
    }

    /** Describes what it read as the grammar would. */
    private static final class Parsing implements Pieces.Parser {
        private final HeadParser<RequestHead> parser = HeadParser.request(LIMITS);
        private int consumed;

        @Override
        public @Nullable Object feed(ByteBuffer in) throws BadHeadException {
            int before = in.position();
            RequestHead head = parser.feed(in);
            consumed += in.position() - before;
            return head == null ? null : asInGrammar(head, consumed).toString();
        }
    }

    private static HeadGrammar.Head asInGrammar(RequestHead head, int end) {
        String text = ISO_8859_1.decode(head.bytes()).toString();
        List<HeadGrammar.Field> fields = HeadGrammar.fields(head.fields());
        return new HeadGrammar.Head(text, head.method(), head.target(), head.minorVersion(), fields, end);
    }

    private static void checkAccepted(HeadGrammar.Head expected) {
        RequestHead head = Feeding.requestHead(expected.text());
        assertThat(asInGrammar(head, expected.end())).isEqualTo(expected);
        try {
            BodyFraming framing = RequestRules.check(head);
            checkHost(head.fields().first("Host"));
            checkAgainstNetty(expected, framing);
        } catch (BadHeadException e) {
            assertThat(e.problem())
                    .isIn(
                            BadHeadException.Problem.HOST,
                            BadHeadException.Problem.FRAMING,
                            BadHeadException.Problem.CODING);
        }
    }

    /**
     * The request, a body of the length that was found, and another request: Netty has to see two just like that. It
     * refuses chunks in versions above 1.1, which are 1.1 here (RFC 9110, section 2.5), so it does not get to see those.
     */
    private static void checkAgainstNetty(HeadGrammar.Head expected, BodyFraming framing) {
        int minorAt = expected.text().indexOf("\r\n") - 1;
        String head = expected.text().substring(0, minorAt)
                + expected.minor()
                + expected.text().substring(minorAt + 1);
        HttpRequestDecoder decoder = new HttpRequestDecoder(
                new HttpDecoderConfig().setMaxInitialLineLength(4096).setMaxHeaderSize(4096));
        boolean tooLong = framing.length() > LONGEST_BODY;
        String body = "x".repeat((int) (tooLong ? 1 : framing.length()));
        String sent = framing.kind() == BodyFraming.Kind.CHUNKED ? "3\r\nabc\r\n0\r\n\r\n" : body;
        byte[] rest = tooLong ? new byte[0] : NEXT;

        List<NettyPeer.Message> messages =
                NettyPeer.messages(decoder, head.getBytes(ISO_8859_1), sent.getBytes(ISO_8859_1), rest);

        assertThat(messages).hasSize(tooLong ? 1 : 2);
        NettyPeer.Message first = messages.get(0);
        HttpRequest request = (HttpRequest) first.head();
        assertThat(request.method().name()).isEqualTo(expected.one());
        assertThat(request.uri()).isEqualTo(expected.two());
        assertThat(Math.min(1, request.protocolVersion().minorVersion())).isEqualTo(expected.minor());
        assertThat(first.fields()).isEqualTo(expected.fields());
        assertThat(first.ended()).isEqualTo(!tooLong);
        assertThat(first.body()).isEqualTo(framing.kind() == BodyFraming.Kind.CHUNKED ? "abc" : body);
        if (!tooLong) {
            assertThat(((HttpRequest) messages.get(1).head()).uri()).isEqualTo("/next");
        }
    }

    /**
     * The JDK reads every host that is accepted, but for three of the grammar that it does not know: an empty one, an
     * address of the future ({@code [v1.x]}), and a name of one more than it can count: a port beyond an int.
     */
    private static void checkHost(@Nullable String host) {
        if (host == null || host.isEmpty() || host.startsWith(":") || host.matches("(?i)\\[v.*|.*:[0-9]{10,}")) {
            return;
        }
        try {
            URI uri = new URI("http://" + host + "/");
            assertThat(uri.getRawAuthority()).isEqualTo(host);
            assertThat(uri.getRawUserInfo()).isNull();
        } catch (URISyntaxException e) {
            throw new AssertionError("the JDK refuses the host " + host, e);
        }
    }
}
