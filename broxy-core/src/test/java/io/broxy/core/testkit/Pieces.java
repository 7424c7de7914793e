package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Feeds the same bytes to parsers whole, byte by byte, and in pieces of lengths that depend on the bytes and on nothing
 * else. All ways have to come to the same end after the same number of bytes. For fuzz tests: it costs three parsings,
 * however long the input is.
 *
 * <p>Threading: stateless.
 */
public final class Pieces {
    private static final int MANY = 64;

    private Pieces() {}

    /** What is fed. */
    @FunctionalInterface
    public interface Parser {
        /**
         * Reads on; takes all of the buffer unless there is a result.
         *
         * @return the result, which can be compared with others, or null if more is needed
         * @throws Exception that is checked, if what has come is refused
         */
        @Nullable
        Object feed(ByteBuffer in) throws Exception;

        /** What can be said when no more comes. */
        default Object unfinished() {
            return "more is needed";
        }

        /** Whether the count of bytes that had been read by a refusal has to be the same for all ways. */
        default boolean countsUpToRefusal() {
            return true;
        }

        /** What the refusal says, for comparison. */
        default String describe(Exception refusal) {
            return String.valueOf(refusal.getMessage());
        }
    }

    /**
     * How it ended.
     *
     * @param result or what was said at the end when more was needed; null when it was refused
     * @param consumed how many bytes had been read then, or 0 for a refusal where they are not counted
     */
    public record Outcome(
            boolean complete,
            @Nullable Object result,
            @Nullable Exception refusal,
            @Nullable String described,
            int consumed) {

        /** Everything but the exception itself, which is another one each time. */
        private String comparable() {
            return complete + " " + result + " " + described + " after " + consumed;
        }
    }

    /** The outcome that all ways have. */
    public static Outcome outcome(byte[] bytes, Supplier<Parser> parsers) {
        SplittableRandom lengths = new SplittableRandom(Arrays.hashCode(bytes));
        Outcome whole = feed(bytes, parsers.get(), () -> bytes.length);
        String expected = whole.comparable();
        assertThat(feed(bytes, parsers.get(), () -> 1).comparable())
                .as("byte by byte")
                .isEqualTo(expected);
        assertThat(feed(bytes, parsers.get(), () -> lengths.nextInt(MANY)).comparable())
                .as("in pieces")
                .isEqualTo(expected);
        return whole;
    }

    /** All pieces come in the same array, so a parser that looked back into it would see other bytes. */
    private static Outcome feed(byte[] bytes, Parser parser, Supplier<Integer> lengths) {
        byte[] room = new byte[bytes.length];
        int from = 0;
        while (from < bytes.length) {
            int length = Math.min(bytes.length - from, lengths.get());
            ByteBuffer in =
                    ByteBuffer.wrap(room, 0, length).put(bytes, from, length).flip();
            try {
                Object result = parser.feed(in);
                if (result != null) {
                    return new Outcome(true, result, null, null, from + in.position());
                }
            } catch (RuntimeException e) {
                throw e; // nothing that a peer sends leads to one
            } catch (Exception e) {
                int consumed = parser.countsUpToRefusal() ? from + in.position() : 0;
                return new Outcome(false, null, e, parser.describe(e), consumed);
            }
            if (in.hasRemaining()) {
                throw new AssertionError("bytes are left though more is needed");
            }
            from += length;
        }
        return new Outcome(false, parser.unfinished(), null, null, bytes.length);
    }
}
