package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * Parses Content-Length (RFC 9110, section 8.6).
 *
 * <p>Threading: stateless.
 */
final class ContentLength {
    static final String NAME = "Content-Length";

    private static final String MALFORMED = "Content-Length is malformed";

    private ContentLength() {}

    /**
     * The length in a request: one line with a number without leading zeros, which are octal to some parsers.
     *
     * @param index of the first line
     * @throws BadHeadException {@link Problem#FRAMING} for everything else, including two lines with the same value
     */
    static long ofRequest(Fields fields, int index) throws BadHeadException {
        if (fields.indexOf(NAME, index + 1) >= 0) {
            throw framing("Content-Length is repeated");
        }
        byte[] head = fields.head();
        int start = fields.valueStart(index);
        int end = fields.valueEnd(index);
        if (!isCanonical(head, start, end)) {
            throw framing(MALFORMED);
        }
        return number(head, start, end);
    }

    /**
     * The length in a response, with any number of leading zeros. It may occur several times with the same value, in lines or
     * in a list with empty members (RFC 9112, section 6.3).
     *
     * @throws BadHeadException {@link Problem#FRAMING} for everything else, such as a line without a number
     */
    static long ofResponse(Fields fields) throws BadHeadException {
        long length = -1;
        int lines = 0;
        int line = -1;
        for (ListMembers members = new ListMembers(fields, NAME); members.nextOfAny(); ) {
            long number = number(fields.head(), members.start(), members.end());
            if (length >= 0 && number != length) {
                throw framing("Content-Length has different values");
            }
            length = number;
            lines += members.line() == line ? 0 : 1;
            line = members.line();
        }
        if (lines == 0 || lines < fields.count(NAME)) {
            throw framing(MALFORMED);
        }
        return length;
    }

    private static long number(byte[] head, int start, int end) throws BadHeadException {
        long length = 0;
        for (int i = start; i < end; i++) {
            if (!Grammar.isDigit(head[i])) {
                throw framing(MALFORMED);
            }
            int digit = head[i] - '0';
            if (length > (Long.MAX_VALUE - digit) / 10) {
                throw framing("Content-Length is too large a number");
            }
            length = 10 * length + digit;
        }
        return length;
    }

    /** Whether there is exactly one line, with a number that strict parsers accept. */
    static boolean isCanonical(Fields fields, int index) {
        return fields.indexOf(NAME, index + 1) < 0
                && isCanonical(fields.head(), fields.valueStart(index), fields.valueEnd(index));
    }

    private static boolean isCanonical(byte[] head, int start, int end) {
        boolean leadingZero = end - start > 1 && head[start] == '0';
        return start < end && !leadingZero && Grammar.afterDigits(head, start, end) == end;
    }

    private static BadHeadException framing(String rule) {
        return new BadHeadException(Problem.FRAMING, rule);
    }
}
