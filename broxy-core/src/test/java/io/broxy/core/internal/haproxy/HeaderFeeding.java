package io.broxy.core.internal.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Feeds the same bytes to parsers in every way: whole, byte by byte, and cut in two at every index. All ways have to come
 * to the same end after the same number of bytes.
 *
 * <p>Threading: stateless.
 */
final class HeaderFeeding {

    private HeaderFeeding() {}

    /** How it ended: with a header, with a refusal, or (both null) with the wish for more. */
    record Outcome(@Nullable ProxyHeader header, @Nullable String refusal, int consumed) {

        boolean needsMore() {
            return header == null && refusal == null;
        }
    }

    static Outcome allWays(String text) {
        return allWays(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    static Outcome allWays(byte[] bytes) {
        Outcome whole = inPieces(bytes, bytes.length, bytes.length);
        assertThat(inPieces(bytes, 1, 1)).as("byte by byte").isEqualTo(whole);
        for (int cut = 1; cut < bytes.length; cut++) {
            assertThat(inPieces(bytes, cut, bytes.length)).as("cut at %s", cut).isEqualTo(whole);
        }
        return whole;
    }

    /** All pieces come in the same array, so a parser that looked back into it would see other bytes. */
    private static Outcome inPieces(byte[] bytes, int first, int others) {
        ProxyHeaderParser parser = new ProxyHeaderParser();
        byte[] room = new byte[bytes.length];
        for (int from = 0, to; from < bytes.length; from = to) {
            to = Math.min(bytes.length, from + (from == 0 ? first : others));
            ByteBuffer in = ByteBuffer.wrap(room, 0, to - from)
                    .put(bytes, from, to - from)
                    .flip();
            try {
                ProxyHeader header = parser.feed(in);
                if (header != null) {
                    return new Outcome(header, null, from + in.position());
                }
            } catch (ProxyHeaderException e) {
                return new Outcome(null, e.getMessage(), from + in.position());
            }
            assertThat(in.hasRemaining()).as("bytes left though more is needed").isFalse();
        }
        return new Outcome(null, null, bytes.length);
    }
}
