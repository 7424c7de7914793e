package io.broxy.core.internal.http;

/**
 * The deviations from the grammar that a parser accepts. Requests are parsed strictly, since another parser downstream may
 * interpret deviations differently. Responses are rewritten strictly, so that no other parser sees the deviations; only
 * ambiguities about their end or meaning are refused.
 *
 * <p>Threading: immutable.
 */
enum Tolerance {
    /** No deviations. */
    NONE,

    /**
     * White space between a field's name and its colon, which a proxy must remove from a response (RFC 9112, section 5.1), and
     * obs-fold, which it replaces with SP (section 5.2). For the trailer section of a response, which ends the message on a
     * persistent connection, so its line ends must be strict.
     */
    FIELDS,

    /** The same, and a bare LF as a line end (RFC 9112, section 2.2). For the head of a response. */
    FIELDS_AND_LINE_ENDS;

    boolean fields() {
        return this != NONE;
    }

    /** Whether a byte ends a line by itself. */
    boolean endsLine(byte b) {
        return b == Grammar.LF && this == FIELDS_AND_LINE_ENDS;
    }
}
