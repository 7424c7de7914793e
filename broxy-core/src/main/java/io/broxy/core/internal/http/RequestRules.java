package io.broxy.core.internal.http;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * The requirements for a request beyond the grammar, which can only be checked on a complete head: Host (RFC 9112, section
 * 3.2), the credentials for the proxy, and the framing (section 6). The form of the request target is not checked.
 *
 * <p>Threading: stateless.
 */
public final class RequestRules {
    private static final String HOST = "Host";
    private static final String CREDENTIALS = "Proxy-Authorization";

    private RequestRules() {}

    /**
     * Checks a head and returns the framing of its body.
     *
     * @throws BadHeadException {@link Problem#HOST}, {@link Problem#SYNTAX}, {@link Problem#FRAMING} or {@link Problem#CODING}
     */
    public static BodyFraming check(RequestHead head) throws BadHeadException {
        checkHost(head);
        checkCredentials(head);
        return BodyFraming.ofRequest(head);
    }

    /**
     * Allows at most one line (RFC 9110, section 11.7.2: a single value), even if lines are equal or there is no authenticator,
     * because the effective credentials must not depend on the recipient.
     */
    private static void checkCredentials(RequestHead head) throws BadHeadException {
        Fields fields = head.fields();
        int first = fields.indexOf(CREDENTIALS, 0);
        if (first >= 0 && fields.indexOf(CREDENTIALS, first + 1) >= 0) {
            throw BadHeadException.syntax("more than one Proxy-Authorization");
        }
    }

    /**
     * Requires exactly one Host in HTTP/1.1, at most one in HTTP/1.0. It may differ from the request target, which takes
     * precedence.
     */
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
