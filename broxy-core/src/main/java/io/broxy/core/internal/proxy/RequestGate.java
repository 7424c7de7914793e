package io.broxy.core.internal.proxy;

import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.http.RequestRules;

/** Decides whether a request can be served. Threading: stateless. */
final class RequestGate {
    private RequestGate() {}

    /**
     * The target of a CONNECT request, which is in authority form (RFC 9112 section 3.2.3).
     *
     * @throws RefusedException if the request is none, or breaks a rule
     */
    static HostPort connectTarget(RequestHead head) throws RefusedException {
        try {
            RequestRules.check(head);
        } catch (BadHeadException e) {
            throw refusal(e);
        }
        if (!head.isConnect()) {
            throw new RefusedException(Reason.NOT_IMPLEMENTED, 501, "only CONNECT is served");
        }
        try {
            return HostPort.parse(head.target());
        } catch (IllegalArgumentException e) {
            throw new RefusedException(Reason.BAD_TARGET, 400, "the target is no host:port");
        }
    }

    /** The refusal of a head that breaks HTTP/1.1. */
    static RefusedException refusal(BadHeadException bad) {
        String text = String.valueOf(bad.getMessage());
        return switch (bad.problem()) {
            case SYNTAX, HOST, FRAMING -> new RefusedException(Reason.BAD_REQUEST, 400, text);
            case TOO_LARGE, TOO_MANY_FIELDS -> new RefusedException(Reason.HEAD_TOO_LARGE, 431, text);
            case VERSION -> new RefusedException(Reason.NOT_IMPLEMENTED, 505, text);
            case CODING, SCHEME -> new RefusedException(Reason.NOT_IMPLEMENTED, 501, text);
            case TARGET -> new RefusedException(Reason.BAD_TARGET, 400, text);
            case EXPECTATION -> new RefusedException(Reason.NOT_IMPLEMENTED, 417, text);
        };
    }
}
