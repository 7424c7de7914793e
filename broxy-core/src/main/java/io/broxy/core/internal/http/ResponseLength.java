package io.broxy.core.internal.http;

import java.nio.ByteBuffer;

/**
 * What a client is sent of a response's Content-Length: one line with a plain number, or none.
 *
 * <p>Threading: immutable.
 *
 * @param number that is written in place of all lines; or {@link #AS_RECEIVED}, or {@link #LEFT_OUT}
 * @param reliable whether what the response says of its length leaves no doubt where the next one begins
 */
record ResponseLength(long number, boolean reliable) {
    /** The lines go on as they are: there is none, or a single one with a plain number. */
    static final long AS_RECEIVED = -1;

    /** No line goes on. */
    static final long LEFT_OUT = -2;

    private static final int NO_CONTENT = 204;

    private static final ResponseLength RECEIVED = new ResponseLength(AS_RECEIVED, true);

    /**
     * Decides. A length has no place in 1xx and 204 (RFC 9110, section 8.6), which some would take for one of a body, nor
     * beside Transfer-Encoding (RFC 9112, section 6.2). An answer to HEAD and a 304 end with their heads whatever they
     * say (section 6.3), so a length that says nothing there is left out, and the connection is not trusted any further.
     */
    static ResponseLength of(ResponseHead head) {
        Fields fields = head.fields();
        int index = fields.indexOf(ContentLength.NAME, 0);
        if (head.isInterim() || head.status() == NO_CONTENT) {
            return new ResponseLength(LEFT_OUT, !announcesBody(fields, index));
        }
        if (index < 0) {
            return RECEIVED;
        }
        if (BodyFraming.isContradictory(fields)) {
            return new ResponseLength(LEFT_OUT, false);
        }
        try {
            long length = ContentLength.ofResponse(fields);
            return ContentLength.isCanonical(fields, index) ? RECEIVED : new ResponseLength(length, true);
        } catch (BadHeadException e) {
            return new ResponseLength(LEFT_OUT, false);
        }
    }

    private static boolean announcesBody(Fields fields, int index) {
        try {
            return fields.contains(BodyFraming.TRANSFER_ENCODING)
                    || (index >= 0 && ContentLength.ofResponse(fields) > 0);
        } catch (BadHeadException e) {
            return true;
        }
    }

    /** Whether the lines that were received are not written. */
    boolean replaces(Fields fields, int index) {
        return number != AS_RECEIVED && fields.isNamed(index, ContentLength.NAME);
    }

    /** Puts the line in place of those that were received, if there is one to put. */
    void put(ByteBuffer out) {
        if (number >= 0) {
            Ascii.put(ContentLength.NAME + ": ", out);
            Ascii.putDecimal(number, out);
            Ascii.putCrlf(out);
        }
    }
}
