package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;
import static io.broxy.core.internal.http.Grammar.SP;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * {@code method SP request-target SP HTTP-version} (RFC 9112, section 3), with exactly one SP each. The method is a token. The
 * request target is visible US-ASCII; its form is not checked here.
 *
 * <pre>
 *   METHOD ──SP──> TARGET ──SP──> VERSION
 * </pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class RequestLine extends FirstLine<RequestHead> {

    private enum State {
        METHOD,
        TARGET,
        VERSION
    }

    private State state = State.METHOD;
    private int methodEnd;
    private int targetEnd;

    @Override
    void next(byte b, int index) throws BadHeadException {
        switch (state) {
            case METHOD -> method(b, index);
            case TARGET -> target(b, index);
            case VERSION -> nextOfVersion(b);
        }
    }

    private void method(byte b, int index) throws BadHeadException {
        if (b == SP && index > 0) {
            methodEnd = index;
            state = State.TARGET;
        } else if (!Grammar.isTchar(b)) {
            throw syntax(b, "the method is not a token");
        }
    }

    private void target(byte b, int index) throws BadHeadException {
        if (b == SP && index > methodEnd + 1) {
            targetEnd = index;
            state = State.VERSION;
        } else if (!Grammar.isVchar(b)) {
            throw syntax(b, "the request target has a character that it must not have");
        }
    }

    @Override
    void end(int index) throws BadHeadException {
        if (!hasVersion()) {
            throw syntax("the request line is not complete");
        }
    }

    @Override
    BadHeadException tooLong() {
        return new BadHeadException(Problem.TARGET_TOO_LONG, "the first line is too long");
    }

    @Override
    RequestHead head(byte[] bytes, Fields fields) {
        return new RequestHead(bytes, methodEnd, targetEnd, minorVersion(), fields);
    }
}
