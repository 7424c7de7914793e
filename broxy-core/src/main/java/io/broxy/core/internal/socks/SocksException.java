package io.broxy.core.internal.socks;

import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;

/**
 * A SOCKS message is refused. The message is a fixed text that names the violated rule and contains no bytes of the peer. There
 * is no stack trace, since the position in the parser is irrelevant.
 *
 * <p>Threading: immutable.
 */
public final class SocksException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The kinds of problems that clients or operators need to distinguish. */
    public enum Problem {
        /** The message violates the protocol. */
        SYNTAX(Reason.BAD_REQUEST, 400, SocksReply.GENERAL_FAILURE),
        /** A zero-terminated text is too long. */
        TOO_LARGE(Reason.HEAD_TOO_LARGE, 431, SocksReply.GENERAL_FAILURE),
        /** The client offers no acceptable authentication method. */
        AUTHENTICATION(Reason.AUTHENTICATION_REQUIRED, 407, SocksReply.UNAUTHENTICATED),
        /** The command is not CONNECT. */
        COMMAND(Reason.NOT_IMPLEMENTED, 501, SocksReply.COMMAND_NOT_SUPPORTED),
        /** The target's address type is unknown. */
        ADDRESS_TYPE(Reason.BAD_TARGET, 400, SocksReply.ADDRESS_TYPE_NOT_SUPPORTED),
        /** The target cannot be dialed. */
        TARGET(Reason.BAD_TARGET, 400, SocksReply.GENERAL_FAILURE);

        private final Reason reason;
        private final int status;
        private final SocksReply reply;

        Problem(Reason reason, int status, SocksReply reply) {
            this.reason = reason;
            this.status = status;
            this.reply = reply;
        }
    }

    private final Problem problem;

    SocksException(Problem problem, String rule) {
        super(rule, null, false, false);
        this.problem = problem;
    }

    /** The kind of the problem. */
    public Problem problem() {
        return problem;
    }

    /** The reply for a client that waits for one; {@link SocksParser#refusal} writes it. */
    public SocksReply reply() {
        return problem.reply;
    }

    /** The refusal for the listener and the log; its status is the one that an HTTP client would get. */
    public RefusedException refusal() {
        return new RefusedException(problem.reason, problem.status, "SOCKS: " + getMessage());
    }
}
