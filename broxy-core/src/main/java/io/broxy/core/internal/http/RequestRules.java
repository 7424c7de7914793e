package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * What a request has to fulfil beyond the grammar, and which can only be said of a whole head: its Host
 * (RFC 9112, section 3.2), its credentials for the proxy and its framing (section 6). The form of the request target is not
 * looked at.
 *
 * <p>Threading: stateless.
 */
public final class RequestRules {
    private static final String HOST = "Host";
    private static final String CREDENTIALS = "Proxy-Authorization";

    private RequestRules() {}

    /**
     * Checks a head, and says what follows it.
     *
     * @throws BadHeadException {@link Problem#HOST}, {@link Problem#SYNTAX}, {@link Problem#FRAMING} or {@link Problem#CODING}
     */
    public static BodyFraming check(RequestHead head) throws BadHeadException {
        checkHost(head);
        checkCredentials(head);
        return BodyFraming.ofRequest(head);
    }

    /**
     * At most one line (RFC 9110, section 11.7.2: a single value), also where they are alike and where no authenticator reads
     * them: which of them counts must not depend on the reader.
     */
    private static void checkCredentials(RequestHead head) throws BadHeadException {
        Fields fields = head.fields();
        int first = fields.indexOf(CREDENTIALS, 0);
        if (first >= 0 && fields.indexOf(CREDENTIALS, first + 1) >= 0) {
            throw BadHeadException.syntax("more than one Proxy-Authorization");
        }
    }

    /** Exactly one in HTTP/1.1, at most one in 1.0. It may differ from the request target, which decides. */
    private static void checkHost(RequestHead head) throws BadHeadException {
        Fields fields = head.fields();
        int host = fields.indexOf(HOST, 0);
        if (host < 0) {
            if (head.minorVersion() > 0) {
                throw new BadHeadException(Problem.HOST, "no Host in an HTTP/1.1 request");
            }
            return;
        }
        if (fields.indexOf(HOST, host + 1) >= 0) {
            throw new BadHeadException(Problem.HOST, "more than one Host");
        }
        if (!HostSyntax.isValid(fields.head(), fields.valueStart(host), fields.valueEnd(host))) {
            throw new BadHeadException(Problem.HOST, "an invalid Host");
        }
    }
}
