package io.broxy.core.internal.http;

/**
 * A head that is refused. The message is a fixed text which names the rule that was broken; it never has bytes of the
 * peer in it, so it can be logged and sent back. There is no stack trace: the place in the parser is of no interest,
 * and filling it in would be the most expensive part of a refusal.
 *
 * <p>Threading: immutable.
 */
public final class BadHeadException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The kinds of problems, as many as a server answers differently or an operator counts apart. */
    public enum Problem {
        /** Breaks the grammar of a head (RFC 9112, sections 2 to 5): 400. */
        SYNTAX,
        /** The request line is longer than allowed: 414 (RFC 9112, section 3). */
        TARGET_TOO_LONG,
        /** The whole head, or a status line, is longer than allowed: 431 (RFC 6585, section 5). */
        TOO_LARGE,
        /** More field lines than allowed: 431. */
        TOO_MANY_FIELDS,
        /** Well-formed, but not HTTP/1.x: 505 (RFC 9110, section 15.6.6). */
        VERSION,
        /** No Host, several, or an invalid one (RFC 9112, section 3.2): 400. */
        HOST,
        /** It is not certain where the body ends (RFC 9112, sections 6.1 to 6.3 and 11.2): 400, and close. */
        FRAMING,
        /** A transfer coding that is not known here (RFC 9112, section 6.1): 501, and close. */
        CODING,
        /** The request target has none of the forms that its method may have (RFC 9112, section 3.2): 400. */
        TARGET,
        /** The request target is a URI of another scheme than http: 501. */
        SCHEME,
        /** An expectation other than 100-continue (RFC 9110, section 10.1.1): 417. */
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

    /** A byte that must not be where it is; a bare LF is named as such, wherever it is. */
    static BadHeadException syntax(byte b, String rule) {
        return syntax(b == Grammar.LF ? "a line ends with LF alone" : rule);
    }

    /** What kind of problem it is. */
    public Problem problem() {
        return problem;
    }
}
