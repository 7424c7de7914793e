package io.broxy.core.internal.proxy;

import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.BodyFraming;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.http.RequestRules;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Decides whether a request can be served. Threading: stateless. */
final class RequestValidator {
    private RequestValidator() {}

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
                throw Rejection.CONNECT_ONLY.exception();
            }
            ForwardedRequest request = ForwardedRequest.of(head);
            if (isOwn(request) && !own) {
                throw Rejection.NOT_A_WEB_SERVER.exception();
            }
            return request;
        } catch (BadHeadException e) {
            throw Rejection.of(e);
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
            throw Rejection.of(e);
        }
    }

    /** Refuses credentials for which there are two readings. */
    static void checkCredentials(ForwardedRequest request) throws RefusedException {
        if (request.head().fields().values(AccessStep.CREDENTIALS).size() > 1) {
            throw Rejection.SEVERAL_CREDENTIALS.exception();
        }
    }

    /**
     * Refuses what has been here before.
     *
     * @param pseudonym of this proxy; null when it adds no Via, by which it could know
     */
    static void checkLoop(ForwardedRequest request, @Nullable String pseudonym) throws RefusedException {
        if (pseudonym != null && request.passedThrough(pseudonym)) {
            throw Rejection.LOOP.exception();
        }
    }
}
