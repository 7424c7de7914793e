package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;
import static io.broxy.core.internal.http.Grammar.SP;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * {@code HTTP-version SP status-code SP [ reason-phrase ]} (RFC 9112, section 4). Like nearly all clients, it tolerates several
 * SP before the status, and a missing SP after it if there is no reason. It tolerates nothing else, such as lower-case HTTP or
 * HTAB between the parts, which clients handle differently. The status is 100 to 999: RFC 9110, section 15, defines 100 to 599
 * and lets clients treat higher values as server errors, which is left to the caller.
 *
 * <pre>
 *   VERSION ──SP──> STATUS ──SP──> REASON
 * </pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class StatusLine extends FirstLine<ResponseHead> {
    private static final int STATUS_DIGITS = 3;

    private enum State {
        VERSION,
        STATUS,
        REASON
    }

    private State state = State.VERSION;
    private int statusDigits;
    private int status;
    private int reasonStart;
    private int reasonEnd;

    @Override
    void next(byte b, int index) throws BadHeadException {
        switch (state) {
            case VERSION -> version(b);
            case STATUS -> status(b, index);
            case REASON -> reason(b);
        }
    }

    private void version(byte b) throws BadHeadException {
        if (b == SP && hasVersion()) {
            state = State.STATUS;
        } else {
            nextOfVersion(b);
        }
    }

    private void status(byte b, int index) throws BadHeadException {
        if (b == SP && statusDigits == STATUS_DIGITS) {
            reasonStart = index + 1;
            state = State.REASON;
        } else if (b == SP && statusDigits == 0) {
            return; // another SP
        } else if (Grammar.isDigit(b) && statusDigits < STATUS_DIGITS && (statusDigits > 0 || b != '0')) {
            status = 10 * status + (b - '0');
            statusDigits++;
        } else {
            throw syntax(b, "the status is not a number of three digits from 100");
        }
    }

    private static void reason(byte b) throws BadHeadException {
        if (!Grammar.isFieldByte(b)) {
            throw syntax(b, "the reason phrase has a control character");
        }
    }

    @Override
    void end(int index) throws BadHeadException {
        if (state == State.STATUS && statusDigits == STATUS_DIGITS) {
            reasonStart = index;
        } else if (state != State.REASON) {
            throw syntax("the status line is not complete");
        }
        reasonEnd = index;
    }

    @Override
    BadHeadException tooLong() {
        return new BadHeadException(Problem.TOO_LARGE, "the first line is too long");
    }

    @Override
    ResponseHead head(byte[] bytes, Fields fields) {
        return new ResponseHead(bytes, status, reasonStart, reasonEnd, minorVersion(), fields);
    }
}
