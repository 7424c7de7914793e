package io.broxy.core.internal.socks;

import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;

/**
 * A message of SOCKS that is refused. The text is fixed: it names the rule that was broken, and has no bytes of the peer in it.
 * There is no stack trace: the place in the parser is of no interest.
 *
 * <p>Threading: immutable.
 */
public final class SocksException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The kinds of problems, as many as a client is answered differently or an operator counts apart. */
    public enum Problem {
        /** The message breaks the protocol. */
        SYNTAX(Reason.BAD_REQUEST, 400, SocksReply.GENERAL_FAILURE),
        /** A text without a length before it is too long. */
        TOO_LARGE(Reason.HEAD_TOO_LARGE, 431, SocksReply.GENERAL_FAILURE),
        /** The client cannot authenticate itself in a form that is accepted. */
        AUTHENTICATION(Reason.AUTHENTICATION_REQUIRED, 407, SocksReply.UNAUTHENTICATED),
        /** The command is another one than CONNECT. */
        COMMAND(Reason.NOT_IMPLEMENTED, 501, SocksReply.COMMAND_NOT_SUPPORTED),
        /** The type of the target's address is unknown. */
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

    /** What kind of problem it is. */
    public Problem problem() {
        return problem;
    }

    /** The reply that the client gets where it waits for one; {@link SocksParser#refusal} writes it. */
    public SocksReply reply() {
        return problem.reply;
    }

    /** The refusal for the listener and the log; its status is what a client of HTTP would get. */
    public RefusedException refusal() {
        return new RefusedException(problem.reason, problem.status, "SOCKS: " + getMessage());
    }
}
