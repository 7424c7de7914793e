package io.broxy.core.internal.http;

/**
 * The {@code Keep-Alive} parameters of a response: how long the connection may be idle, and how many requests it accepts
 * ({@code timeout=5, max=100}; RFC 2068, section 19.7.1, and later practice of servers).
 *
 * <p>The field is only a hint and never refused. Members may be separated by commas or semicolons, across several lines, with
 * quotes and white space anywhere. The smallest of several values counts, fractions are dropped, values that are not numbers
 * are ignored, and large numbers are limited to a maximum.
 *
 * <p>Threading: immutable.
 *
 * @param timeoutNanos how long the connection may be idle; {@link #UNKNOWN} if not specified
 * @param max the number in {@code max}; {@link #UNKNOWN} if there is none
 */
public record KeepAlive(long timeoutNanos, int max) {
    /** Not specified. */
    public static final int UNKNOWN = -1;

    /** The parameters of a response without the field. */
    public static final KeepAlive NOTHING = new KeepAlive(UNKNOWN, UNKNOWN);

    /** A day, which limits longer promises. */
    private static final int MAX_NUMBER = 86_400;

    private static final long NANOS_PER_SECOND = 1_000_000_000;

    private static final String NAME = "Keep-Alive";

    /** Parses the field, which may be absent. */
    public static KeepAlive of(Fields fields) {
        int line = fields.indexOf(NAME, 0);
        if (line < 0) {
            return NOTHING;
        }
        int timeout = UNKNOWN;
        int max = UNKNOWN;
        for (; line >= 0; line = fields.indexOf(NAME, line + 1)) {
            int start = fields.valueStart(line);
            int end = fields.valueEnd(line);
            timeout = smaller(timeout, smallest(fields.head(), start, end, "timeout"));
            max = smaller(max, smallest(fields.head(), start, end, "max"));
        }
        return new KeepAlive(timeout < 0 ? UNKNOWN : timeout * NANOS_PER_SECOND, max);
    }

    private static int smaller(int one, int other) {
        return one < 0 || (other >= 0 && other < one) ? other : one;
    }

    private static int smallest(byte[] bytes, int from, int to, String name) {
        int smallest = UNKNOWN;
        for (int start = from; start < to; ) {
            int end = start;
            while (end < to && bytes[end] != ',' && bytes[end] != ';') {
                end++;
            }
            smallest = smaller(smallest, number(bytes, start, end, name));
            start = end + 1;
        }
        return smallest;
    }

    /** The number of a member, if it has the name. */
    private static int number(byte[] bytes, int from, int to, String name) {
        int start = skip(bytes, from, to);
        int end = start + name.length();
        if (end >= to || !Grammar.equalsIgnoreCase(bytes, start, end, name)) {
            return UNKNOWN;
        }
        int equals = skip(bytes, end, to);
        return equals < to && bytes[equals] == '=' ? number(bytes, skip(bytes, equals + 1, to), to) : UNKNOWN;
    }

    private static int number(byte[] bytes, int from, int to) {
        int number = 0;
        int at = from;
        for (; at < to && Grammar.isDigit(bytes[at]); at++) {
            number = Math.min(MAX_NUMBER, 10 * number + (bytes[at] - '0'));
        }
        int afterFraction = at < to && at > from && bytes[at] == '.' ? Grammar.afterDigits(bytes, at + 1, to) : at;
        return at > from && skip(bytes, afterFraction, to) == to ? number : UNKNOWN;
    }

    /** The index after white space and quotes. */
    private static int skip(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && (Grammar.isOws(bytes[at]) || bytes[at] == '"' || bytes[at] == '\'')) {
            at++;
        }
        return at;
    }
}
