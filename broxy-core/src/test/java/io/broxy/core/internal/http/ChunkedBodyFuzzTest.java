package io.broxy.core.internal.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.broxy.core.testkit.Pieces;
import io.netty.handler.codec.http.HttpRequestDecoder;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Specifies that chunked bodies are decoded as by a second decoder, which gets all bytes at once, and as by Netty. */
class ChunkedBodyFuzzTest {
    /** Small, so that inputs reach them. */
    private static final HeadLimits LIMITS = new HeadLimits(128, 3, 64);

    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";
    private static final String FIRST = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

    @DictionaryEntries({
        "0\\x0d\\x0a\\x0d\\x0a",
        "5\\x0d\\x0ahello\\x0d\\x0a",
        "\\x0d\\x0a",
        "\\x0a",
        ";",
        ";a=b",
        "a",
        "F",
        "7fffffffffffffff",
        "ffffffffffffffff",
        "0000",
        " ",
        " \\x0d\\x0a",
        " ;",
        "\\x0d\\x0a ",
        "A : b",
        "-1",
        "0x5",
        "A: b\\x0d\\x0a"
    })
    @FuzzTest
    void aChunkedBodyIsWhatAnotherDecoderMakesOfIt(byte[] bytes) {
        check(bytes, Tolerance.NONE);
        check(bytes, Tolerance.FIELDS);
    }

    private static void check(byte[] bytes, Tolerance tolerance) {
        Pieces.Outcome outcome = Pieces.outcome(bytes, () -> new Parsing(tolerance));
        Body expected = reference(new String(bytes, ISO_8859_1), tolerance != Tolerance.NONE);

        assertThat(outcome.complete()).isEqualTo(expected != null);
        if (expected != null) {
            assertThat(outcome.result()).isEqualTo(expected.toString());
            assertThat(outcome.consumed()).isEqualTo(expected.end());
            if (tolerance == Tolerance.NONE) {
                checkAgainstNetty(bytes, expected);
            }
        }
    }

    /**
     * A body.
     *
     * @param plain whether all extensions are of the grammar
     */
    private record Body(String data, int trailers, int end, boolean plain) {
        @Override
        public String toString() {
            return data + " and " + trailers + " trailers up to " + end;
        }
    }

    private static final class Parsing implements Pieces.Parser {
        private final ChunkedDecoder decoder;
        private final ByteArrayOutputStream data = new ByteArrayOutputStream();
        private int consumed;

        Parsing(Tolerance tolerance) {
            decoder = new ChunkedDecoder(LIMITS, tolerance);
        }

        @Override
        public @Nullable Object feed(ByteBuffer in) throws BadHeadException {
            int before = in.position();
            for (int count; (count = decoder.next(in)) > 0; ) {
                byte[] piece = new byte[count];
                in.get(piece);
                data.writeBytes(piece);
            }
            consumed += in.position() - before;
            return decoder.isOver()
                    ? new Body(data.toString(ISO_8859_1), decoder.trailers().size(), consumed, true).toString()
                    : null;
        }

        @Override
        public Object unfinished() {
            return "more is needed after " + data.toString(ISO_8859_1);
        }
    }

    // ------------------------------------------------------------------ the other decoder

    private static final Pattern SIZE_LINE =
            Pattern.compile("([0-9a-fA-F]{1,16})([\\t ]{0,256}+)(?:;([\\t\\x20-\\x7e\\x80-\\xff]*+))?\r\n");
    private static final Pattern TRAILERS =
            Pattern.compile("((?:[!#$%&'*+\\-.^_`|~0-9A-Za-z]++:[\\t\\x20-\\x7e\\x80-\\xff]*+\r\n)*+)\r\n");

    @SuppressWarnings("StringConcatToTextBlock") // its lines end with CRLF
    private static final Pattern TOLERATED_TRAILERS =
            Pattern.compile("((?:[!#$%&'*+\\-.^_`|~0-9A-Za-z]++[\\t ]*+:[\\t\\x20-\\x7e\\x80-\\xff]*+\r\n"
                    + "(?:[\\t ][\\t\\x20-\\x7e\\x80-\\xff]*+\r\n)*+)*+)\r\n");

    private static final Pattern EXTENSIONS = Pattern.compile("[0-9A-Za-z]+(?:=(?:[0-9A-Za-z]+|\"[0-9A-Za-z;= ]*\"))?");
    private static final int MAX_EXTENSION_BYTES = 16 * 1024;

    /** The body at the beginning of a text, or null if there is none that is complete and well-formed. */
    private static @Nullable Body reference(String text, boolean tolerant) {
        StringBuilder data = new StringBuilder();
        Matcher line = SIZE_LINE.matcher(text);
        int extensions = 0;
        boolean plain = true;
        for (int at = 0; line.region(at, text.length()).lookingAt(); ) {
            if (!tolerant && !line.group(2).isEmpty()) {
                return null;
            }
            extensions += line.group(3) == null ? 0 : line.group(3).length();
            plain &= line.group(3) == null || EXTENSIONS.matcher(line.group(3)).matches();
            long size = Long.parseUnsignedLong(line.group(1), 16);
            if (extensions > MAX_EXTENSION_BYTES || size < 0) {
                return null;
            }
            if (size == 0) {
                return trailers(text, line.end(), data.toString(), plain, tolerant);
            }
            if (size > text.length() - line.end()) {
                return null;
            }
            int end = line.end() + (int) size;
            data.append(text, line.end(), end);
            if (!text.startsWith("\r\n", end)) {
                return null;
            }
            at = end + 2;
        }
        return null;
    }

    private static @Nullable Body trailers(String text, int from, String data, boolean plain, boolean tolerant) {
        Matcher trailers =
                (tolerant ? TOLERATED_TRAILERS : TRAILERS).matcher(text).region(from, text.length());
        if (!trailers.lookingAt() || trailers.end() - from > LIMITS.headBytes()) {
            return null;
        }
        int count = (int) trailers.group(1)
                .lines()
                .filter(trailer -> trailer.charAt(0) != ' ' && trailer.charAt(0) != '\t')
                .count();
        return count > LIMITS.fields() ? null : new Body(data, count, trailers.end(), plain);
    }

    /**
     * Netty gets the body followed by another request. Left out are bodies with a size line of one of two sorts: a long one,
     * for Netty has a limit of its own; and one whose extensions are not of RFC 9112, section 7.1.1, which Netty looks at (and
     * 4.2.15 fails with an IndexOutOfBoundsException at their bytes above 0x7F), and which are skipped here.
     */
    private static void checkAgainstNetty(byte[] bytes, Body expected) {
        if (expected.end() > 2048 || !expected.plain()) {
            return;
        }
        List<NettyPeer.Message> messages = NettyPeer.messages(
                new HttpRequestDecoder(),
                FIRST.getBytes(ISO_8859_1),
                Arrays.copyOf(bytes, expected.end()),
                NEXT.getBytes(ISO_8859_1));

        assertThat(messages).hasSize(2);
        assertThat(messages.get(0).body()).isEqualTo(expected.data());
    }
}
