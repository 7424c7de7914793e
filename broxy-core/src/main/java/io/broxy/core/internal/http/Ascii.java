package io.broxy.core.internal.http;

import java.nio.ByteBuffer;

/**
 * Puts texts and numbers into buffers without allocation.
 *
 * <p>Threading: stateless.
 */
final class Ascii {
    /** The maximum number of digits that {@link #putDecimal} puts for an {@code int}. */
    static final int MAX_DECIMAL_DIGITS = 10;

    /** The maximum number of digits that {@link #putHex} puts. */
    static final int MAX_HEX_DIGITS = 8;

    private static final int BITS_OF_HEX_DIGIT = 4;

    private Ascii() {}

    /** Puts a text, which must have no character above 0xFF. */
    static void put(String text, ByteBuffer out) {
        for (int i = 0; i < text.length(); i++) {
            out.put((byte) text.charAt(i));
        }
    }

    /**
     * Puts a field line.
     *
     * @param name a token
     * @throws IllegalArgumentException if the value is not a valid field value, in which case nothing is put
     */
    static void putField(String name, String value, ByteBuffer out) {
        if (!Grammar.isFieldText(value)) {
            // the message omits the value, which may be a secret
            throw new IllegalArgumentException("the value of " + name + " has a character that it must not have");
        }
        put(name, out);
        put(": ", out);
        put(value, out);
        putCrlf(out);
    }

    static void putCrlf(ByteBuffer out) {
        out.put(Grammar.CR).put(Grammar.LF);
    }

    /** Puts a nonnegative number. */
    static void putDecimal(long number, ByteBuffer out) {
        long unit = 1;
        while (number / unit >= 10) {
            unit *= 10;
        }
        for (; unit > 0; unit /= 10) {
            out.put((byte) ('0' + number / unit % 10));
        }
    }

    /** Puts a positive number. */
    static void putHex(int number, ByteBuffer out) {
        int highest = (Integer.SIZE - 1 - Integer.numberOfLeadingZeros(number)) / BITS_OF_HEX_DIGIT;
        for (int digit = highest; digit >= 0; digit--) {
            out.put((byte) Character.forDigit((number >> (digit * BITS_OF_HEX_DIGIT)) & 0xF, 16));
        }
    }
}
