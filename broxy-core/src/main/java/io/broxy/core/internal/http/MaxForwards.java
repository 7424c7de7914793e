package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import java.nio.ByteBuffer;

/**
 * Max-Forwards, how many more times a request may be forwarded (RFC 9110, section 7.6.2). It means something for TRACE
 * and OPTIONS; with other methods it is a field like any other.
 *
 * <p>Threading: stateless.
 */
final class MaxForwards {
    /** There is no limit. */
    static final int NONE = -1;

    private static final String MAX_FORWARDS = "Max-Forwards";

    private MaxForwards() {}

    /**
     * Reads the limit: {@link Integer#MAX_VALUE} for that and everything above, which is the highest that is supported.
     *
     * @throws BadHeadException if it is no number, or there are several
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

    /** Whether a field is this one. */
    static boolean is(Fields fields, int index) {
        return fields.isNamed(index, MAX_FORWARDS);
    }

    /** Puts the line with another number. */
    static void put(Fields fields, int index, int number, ByteBuffer out) {
        fields.putName(index, out);
        Ascii.putDecimal(number, out);
        Ascii.putCrlf(out);
    }
}
