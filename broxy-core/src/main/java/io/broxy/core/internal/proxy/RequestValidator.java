package io.broxy.core.internal.proxy;

import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.RefusedException.Reason;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.BodyFraming;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.http.RequestRules;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Decides whether a request can be served. Threading: stateless. */
final class RequestValidator {
    private RequestValidator() {}

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

    /**
     * A request that can be served: CONNECT, one whose target is in absolute form (RFC 9112 section 3.2.2), or one to the
     * proxy itself.
     *
     * @param connectOnly whether there is nothing but CONNECT
     * @param own whether requests to the proxy itself are answered
     * @throws RefusedException if it is none, or breaks a rule
     */
    static ForwardedRequest read(RequestHead head, boolean connectOnly, boolean own) throws RefusedException {
        try {
            if (connectOnly && !head.isConnect()) {
                RequestRules.check(head);
                throw new RefusedException(Reason.NOT_IMPLEMENTED, 501, "only CONNECT is served");
            }
            ForwardedRequest request = ForwardedRequest.of(head);
            if (isOwn(request) && !own) {
                throw new RefusedException(Reason.BAD_TARGET, 400, "this is a proxy: the target is to be a whole URI");
            }
            return request;
        } catch (BadHeadException e) {
            throw refusal(e);
        }
    }

    /** Whether a request is to the proxy itself. */
    static boolean isOwn(ForwardedRequest request) {
        return switch (request.target().form()) {
            case ABSOLUTE, AUTHORITY -> false;
            case ORIGIN, ASTERISK -> true;
        };
    }

    /** Refuses a body that begins malformed, before anything of it can reach an origin. */
    static void checkEarly(ForwardedRequest request, ByteBuffer rest) throws RefusedException {
        if (request.body().kind() != BodyFraming.Kind.CHUNKED || !rest.hasRemaining()) {
            return;
        }
        ByteBuffer looked = rest.duplicate();
        BodyDecoder trial = BodyDecoder.request(request.body());
        try {
            for (int count; (count = trial.next(looked)) > 0; ) {
                looked.position(looked.position() + count);
            }
        } catch (BadHeadException e) {
            throw refusal(e);
        }
    }

    /**
     * Refuses what has been here before.
     *
     * @param pseudonym of this proxy; null when it adds no Via, by which it could know
     */
    static void checkLoop(ForwardedRequest request, @Nullable String pseudonym) throws RefusedException {
        if (pseudonym != null && request.passedThrough(pseudonym)) {
            throw new RefusedException(Reason.LOOP, 502, "the request has been here before");
        }
    }

    /** The refusal of a head that breaks HTTP/1.1. */
    static RefusedException refusal(BadHeadException bad) {
        String text = String.valueOf(bad.getMessage());
        return switch (bad.problem()) {
            case SYNTAX, HOST, FRAMING -> new RefusedException(Reason.BAD_REQUEST, 400, text);
            case TARGET_TOO_LONG -> new RefusedException(Reason.HEAD_TOO_LARGE, 414, text);
            case TOO_LARGE, TOO_MANY_FIELDS -> new RefusedException(Reason.HEAD_TOO_LARGE, 431, text);
            case VERSION -> new RefusedException(Reason.NOT_IMPLEMENTED, 505, text);
            case CODING, SCHEME -> new RefusedException(Reason.NOT_IMPLEMENTED, 501, text);
            case TARGET -> new RefusedException(Reason.BAD_TARGET, 400, text);
            case EXPECTATION -> new RefusedException(Reason.NOT_IMPLEMENTED, 417, text);
        };
    }
}
