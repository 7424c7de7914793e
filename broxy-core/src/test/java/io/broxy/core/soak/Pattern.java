package io.broxy.core.soak;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Random;

/**
 * An endless stream of known bytes, another one for each client and direction. Its period is a prime, so that a piece which is
 * lost, doubled or out of place is found whatever the sizes of buffers are.
 *
 * <p>Threading: immutable.
 */
final class Pattern {
    private static final int PERIOD = 65_521;
    /** Two periods, so that each piece up to a period's length is in it as a whole. */
    private static final byte[] BYTES = new byte[2 * PERIOD];

    static {
        new Random(PERIOD).nextBytes(BYTES);
        System.arraycopy(BYTES, 0, BYTES, PERIOD, PERIOD);
    }

    private final int offset;

    private Pattern(long seed) {
        offset = new Random(seed).nextInt(PERIOD);
    }

    /** What a client sends. */
    static Pattern up(int client) {
        return new Pattern(2L * client);
    }

    /** What a client gets. */
    static Pattern down(int client) {
        return new Pattern(2L * client + 1);
    }

    private int at(long position) {
        return (int) ((offset + position) % PERIOD);
    }

    /** Writes the bytes from a position, in pieces of at most this size. */
    void write(OutputStream out, long from, long count, int piece) throws IOException {
        for (long done = 0; done < count; ) {
            int length = (int) Math.min(count - done, Math.min(piece, PERIOD));
            out.write(BYTES, at(from + done), length);
            done += length;
        }
    }

    /** The bytes from a position. */
    byte[] bytes(long from, int count) {
        byte[] bytes = new byte[count];
        for (int done = 0; done < count; ) {
            int length = Math.min(count - done, PERIOD);
            System.arraycopy(BYTES, at(from + done), bytes, done, length);
            done += length;
        }
        return bytes;
    }

    /** Fails if these are not the bytes from a position. */
    void verify(byte[] bytes, int start, int count, long position) {
        for (int done = 0; done < count; ) {
            int length = Math.min(count - done, PERIOD);
            int expected = at(position + done);
            int wrong = Arrays.mismatch(bytes, start + done, start + done + length, BYTES, expected, expected + length);
            if (wrong >= 0) {
                throw new AssertionError("the stream's byte " + (position + done + wrong) + " is wrong");
            }
            done += length;
        }
    }
}
