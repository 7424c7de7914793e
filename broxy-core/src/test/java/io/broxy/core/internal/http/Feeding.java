package io.broxy.core.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Feeds the same bytes to parsers in every way: whole, byte by byte, and cut in two at every index. All ways have to
 * come to the same end after the same number of bytes.
 *
 * <p>Threading: stateless.
 */
final class Feeding {

    /** Above this length only some cuts are tried, for all of them would take the square of the length. */
    private static final int EVERY_CUT_UP_TO = 1_000;

    private Feeding() {}

    /**
     * How it ended: with a head, with a refusal, or (both null) with the wish for more.
     *
     * @param head the first line and the fields, written anew
     * @param consumed how many bytes had been read then
     */
    record Outcome(
            @Nullable String head,
            @Nullable Problem problem,
            @Nullable String message,
            int consumed) {

        boolean needsMore() {
            return head == null && problem == null;
        }
    }

    static Outcome request(String text) {
        return request(text, HeadLimits.REQUEST);
    }

    static Outcome request(String text, HeadLimits limits) {
        return allWays(bytes(text), () -> HeadParser.request(limits));
    }

    static Outcome response(String text) {
        return response(text, HeadLimits.RESPONSE);
    }

    static Outcome response(String text, HeadLimits limits) {
        return allWays(bytes(text), () -> HeadParser.response(limits));
    }

    /** The head of a valid text without bytes after the head. */
    static RequestHead requestHead(String text) {
        return headOf(HeadParser.request(HeadLimits.REQUEST), text);
    }

    /** The head of a valid text without bytes after the head. */
    static ResponseHead responseHead(String text) {
        return headOf(HeadParser.response(HeadLimits.RESPONSE), text);
    }

    private static <T> T headOf(HeadParser<T> parser, String text) {
        try {
            T head = parser.feed(ByteBuffer.wrap(bytes(text)));
            return head != null ? head : fail("the head is not complete");
        } catch (BadHeadException e) {
            return fail(e);
        }
    }

    /** What is made of a head, or why it is refused. */
    interface Reading<T, R> {
        R of(T head) throws BadHeadException;
    }

    /** What a request becomes, and the same whichever way it is fed; a refusal is the name of its problem. */
    static String readRequest(String text, Reading<RequestHead, String> reading) {
        return readAllWays(bytes(text), () -> HeadParser.request(HeadLimits.REQUEST), reading);
    }

    /** What a response becomes, and the same whichever way it is fed; a refusal is the name of its problem. */
    static String readResponse(String text, Reading<ResponseHead, String> reading) {
        return readAllWays(bytes(text), () -> HeadParser.response(HeadLimits.RESPONSE), reading);
    }

    private static <T> String readAllWays(byte[] bytes, Supplier<HeadParser<T>> parsers, Reading<T, String> reading) {
        String whole = read(bytes, parsers.get(), bytes.length, reading);
        assertThat(read(bytes, parsers.get(), 1, reading)).as("byte by byte").isEqualTo(whole);
        for (int cut = 1; cut < bytes.length; cut++) {
            assertThat(read(bytes, parsers.get(), cut, reading))
                    .as("cut at each %s", cut)
                    .isEqualTo(whole);
        }
        return whole;
    }

    private static <T> String read(byte[] bytes, HeadParser<T> parser, int piece, Reading<T, String> reading) {
        byte[] room = new byte[piece];
        try {
            for (int from = 0; from < bytes.length; from += piece) {
                int count = Math.min(piece, bytes.length - from);
                System.arraycopy(bytes, from, room, 0, count);
                T head = parser.feed(ByteBuffer.wrap(room, 0, count));
                if (head != null) {
                    Arrays.fill(room, (byte) 'X'); // what is read next must not be seen in the head
                    return reading.of(head);
                }
            }
        } catch (BadHeadException e) {
            return e.problem().name();
        }
        return fail("the head is not complete");
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static <T> Outcome allWays(byte[] bytes, Supplier<HeadParser<T>> parsers) {
        Outcome whole = inPieces(bytes, parsers.get(), bytes.length);
        assertThat(inPieces(bytes, parsers.get(), 1)).as("byte by byte").isEqualTo(whole);
        int step = bytes.length <= EVERY_CUT_UP_TO ? 1 : bytes.length / 10;
        for (int cut = 1; cut < bytes.length; cut += step) {
            assertThat(inPieces(bytes, parsers.get(), cut, bytes.length))
                    .as("cut at %s", cut)
                    .isEqualTo(whole);
        }
        return whole;
    }

    /**
     * Feeds pieces that end at the given indexes, or, with one number, pieces of that length. All pieces come in the
     * same small array, so a parser that looked back into it would see other bytes.
     */
    static <T> Outcome inPieces(byte[] bytes, HeadParser<T> parser, int... ends) {
        byte[] room = new byte[bytes.length];
        int from = 0;
        for (int piece = 0; from < bytes.length; piece++) {
            int to = ends.length == 1 ? Math.min(from + ends[0], bytes.length) : ends[piece];
            ByteBuffer in = ByteBuffer.wrap(room, 0, to - from)
                    .put(bytes, from, to - from)
                    .flip();
            try {
                T head = parser.feed(in);
                if (head != null) {
                    return new Outcome(describe(head), null, null, from + in.position());
                }
            } catch (BadHeadException e) {
                return new Outcome(null, e.problem(), e.getMessage(), from + in.position());
            }
            assertThat(in.hasRemaining()).as("bytes left though more is needed").isFalse();
            from = to;
        }
        return new Outcome(null, null, null, bytes.length);
    }

    private static String describe(Object head) {
        if (head instanceof RequestHead request) {
            return request.method() + " " + request.target() + " 1." + request.minorVersion()
                    + describe(request.fields());
        }
        ResponseHead response = (ResponseHead) head;
        return "1." + response.minorVersion() + " " + response.status() + " [" + response.reason() + "]"
                + describe(response.fields());
    }

    private static String describe(Fields fields) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < fields.size(); i++) {
            text.append(" | ").append(fields.name(i)).append('=').append(fields.value(i));
        }
        return text.toString();
    }
}
