package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import java.nio.ByteBuffer;

/**
 * Max-Forwards, which limits how many more times a request may be forwarded (RFC 9110, section 7.6.2). It applies to TRACE and
 * OPTIONS; with other methods it is an ordinary field.
 *
 * <p>Threading: stateless.
 */
final class MaxForwards {
    /** There is no limit. */
    static final int NONE = -1;

    private static final String MAX_FORWARDS = "Max-Forwards";

    private MaxForwards() {}

    /**
     * Parses the limit; larger values count as {@link Integer#MAX_VALUE}.
     *
     * @throws BadHeadException if it is not a number, or repeated
     */
    static int of(RequestHead head) throws BadHeadException {
        Fields fields = head.fields();
        int index = fields.indexOf(MAX_FORWARDS, 0);
        if (index < 0 || !(head.isMethod("TRACE") || head.isMethod("OPTIONS"))) {
            return NONE;
        }
        if (fields.indexOf(MAX_FORWARDS, index + 1) >= 0) {
            throw syntax("more than one Max-Forwards");
        }
        return number(fields.head(), fields.valueStart(index), fields.valueEnd(index));
    }

    private static int number(byte[] bytes, int from, int to) throws BadHeadException {
        if (from == to || Grammar.afterDigits(bytes, from, to) < to) {
            throw syntax("Max-Forwards is not a number");
        }
        long number = 0;
        for (int i = from; i < to; i++) {
            number = Math.min(10 * number + (bytes[i] - '0'), Integer.MAX_VALUE);
        }
        return (int) number;
    }

    /** Whether a field is Max-Forwards. */
    static boolean is(Fields fields, int index) {
        return fields.isNamed(index, MAX_FORWARDS);
    }

    /** Puts the line with a different number. */
    static void put(Fields fields, int index, int number, ByteBuffer out) {
        fields.putName(index, out);
        Ascii.putDecimal(number, out);
        Ascii.putCrlf(out);
    }
}
