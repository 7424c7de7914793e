package io.broxy.core.internal.http;

import java.nio.ByteBuffer;

/**
 * The Content-Length that a client receives for a response: one line with a plain number, or none.
 *
 * <p>Threading: immutable.
 *
 * @param number the number that replaces all lines; or {@link #AS_RECEIVED} or {@link #OMITTED}
 * @param reliable whether the length leaves no doubt about the start of the next response
 */
record ResponseLength(long number, boolean reliable) {
    /** The lines are forwarded unchanged: there is none, or a single one with a plain number. */
    static final long AS_RECEIVED = -1;

    /** No line is forwarded. */
    static final long OMITTED = -2;

    private static final int NO_CONTENT = 204;

    private static final ResponseLength RECEIVED = new ResponseLength(AS_RECEIVED, true);

    /**
     * Decides about a response's length. 1xx and 204 must not have one (RFC 9110, section 8.6), since some recipients would
     * expect a body, nor must responses with Transfer-Encoding (RFC 9112, section 6.2). Responses to HEAD and 304 responses end
     * with their heads (section 6.3), so an invalid length is omitted there, and the connection is not reused.
     */
    static ResponseLength of(ResponseHead head) {
        Fields fields = head.fields();
        int index = fields.indexOf(ContentLength.NAME, 0);
        if (head.isInterim() || head.status() == NO_CONTENT) {
            return new ResponseLength(OMITTED, !announcesBody(fields, index));
        }
        if (index < 0) {
            return RECEIVED;
        }
        if (BodyFraming.isContradictory(fields)) {
            return new ResponseLength(OMITTED, false);
        }
        try {
            long length = ContentLength.ofResponse(fields);
            return ContentLength.isCanonical(fields, index) ? RECEIVED : new ResponseLength(length, true);
        } catch (BadHeadException e) {
            return new ResponseLength(OMITTED, false);
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

    /** Whether a received line is replaced. */
    boolean replaces(Fields fields, int index) {
        return number != AS_RECEIVED && fields.isNamed(index, ContentLength.NAME);
    }

    /** Puts the replacement line, if any. */
    void put(ByteBuffer out) {
        if (number >= 0) {
            Ascii.put(ContentLength.NAME + ": ", out);
            Ascii.putDecimal(number, out);
            Ascii.putCrlf(out);
        }
    }
}
