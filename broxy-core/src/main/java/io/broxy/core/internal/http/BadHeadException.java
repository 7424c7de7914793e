package io.broxy.core.internal.http;

/**
 * A head is refused. The message is a fixed text that names the violated rule; it never contains bytes of the peer, so it can
 * be logged and sent back. There is no stack trace: the position in the parser is irrelevant, and filling it in would be the
 * most expensive part of a refusal.
 *
 * <p>Threading: immutable.
 */
public final class BadHeadException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The kinds of problems that servers answer differently or operators count separately. */
    public enum Problem {
        /** The head violates the grammar (RFC 9112, sections 2 to 5): 400. */
        SYNTAX,
        /** The request line is longer than allowed: 414 (RFC 9112, section 3). */
        TARGET_TOO_LONG,
        /** The whole head, or a status line, is longer than allowed: 431 (RFC 6585, section 5). */
        TOO_LARGE,
        /** There are more field lines than allowed: 431. */
        TOO_MANY_FIELDS,
        /** The head is well-formed, but not HTTP/1.x: 505 (RFC 9110, section 15.6.6). */
        VERSION,
        /** Host is missing, repeated or invalid (RFC 9112, section 3.2): 400. */
        HOST,
        /** The end of the body is ambiguous (RFC 9112, sections 6.1 to 6.3 and 11.2): 400, and close. */
        FRAMING,
        /** The transfer coding is not supported (RFC 9112, section 6.1): 501, and close. */
        CODING,
        /** The request target does not have a form that its method allows (RFC 9112, section 3.2): 400. */
        TARGET,
        /** The request target is a URI with a scheme other than http: 501. */
        SCHEME,
        /** There is an expectation other than 100-continue (RFC 9110, section 10.1.1): 417. */
        EXPECTATION
    }

    private final Problem problem;

    public BadHeadException(Problem problem, String rule) {
        super(rule, null, false, false);
        this.problem = problem;
    }

    static BadHeadException syntax(String rule) {
        return new BadHeadException(Problem.SYNTAX, rule);
    }

    /** Refuses an invalid byte; a bare LF has its own message everywhere. */
    static BadHeadException syntax(byte b, String rule) {
        return syntax(b == Grammar.LF ? "a line ends with LF alone" : rule);
    }

    /** The kind of the problem. */
    public Problem problem() {
        return problem;
    }
}
