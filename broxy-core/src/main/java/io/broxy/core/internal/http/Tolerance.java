package io.broxy.core.internal.http;

/**
 * What is read though it is not of the grammar. Requests are read strictly: another parser behind this one may read them
 * otherwise. A response is written anew, strictly, so that no other parser has to read what is repaired here; only what
 * would leave in doubt where it ends, or what it means, is refused there, too.
 *
 * <p>Threading: immutable.
 */
enum Tolerance {
    /** Nothing. */
    NONE,

    /**
     * White space between a field's name and its colon, which a proxy has to remove from a response (RFC 9112, section
     * 5.1), and obs-fold, which it replaces with SP (section 5.2). For the trailer section of a response: it ends the
     * message on a connection that is kept, so its line ends are strict.
     */
    FIELDS,

    /** These, and a LF alone as a line's end (RFC 9112, section 2.2). For the head of a response. */
    FIELDS_AND_LINE_ENDS;

    boolean fields() {
        return this != NONE;
    }

    /** Whether a byte ends a line by itself. */
    boolean endsLine(byte b) {
        return b == Grammar.LF && this == FIELDS_AND_LINE_ENDS;
    }
}
