package io.broxy.core.internal.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.DialException;
import io.broxy.ProxyChallenge;
import io.broxy.ProxyReply;
import java.util.Locale;
import java.util.Set;

/**
 * Distinguishes authentication schemes that authenticate a request from those that authenticate a connection (RFC 4559 section
 * 6; RFC 9110 section 3.3 mentions the latter as a violation of HTTP). Unknown schemes and malformed values count as
 * connection-based: if wrong, that costs a connection, while the opposite error breaks a login.
 *
 * <p>Threading: stateless.
 */
public final class AuthSchemes {
    private static final int UNAUTHORIZED = 401;
    private static final int PROXY_AUTHENTICATION_REQUIRED = 407;

    /** The IANA registry without Negotiate, and schemes of cloud and vendor APIs; in lower case. */
    private static final Set<String> PER_REQUEST = Set.of(
            "basic",
            "bearer",
            "concealed",
            "digest",
            "dpop",
            "gnap",
            "hoba",
            "mutual",
            "oauth",
            "privatetoken",
            "scram-sha-1",
            "scram-sha-256",
            "vapid",
            "apikey",
            "aws",
            "aws4-ecdsa-p256-sha256",
            "aws4-hmac-sha256",
            "goog4-hmac-sha256",
            "goog4-rsa-sha256",
            "hawk",
            "mac",
            "sharedaccesssignature",
            "sharedkey",
            "sharedkeylite",
            "signature",
            "token",
            "wsse");

    private AuthSchemes() {}

    /**
     * Whether any field with a name has a connection-based scheme.
     *
     * @param name the name of a field with challenges or credentials (RFC 9110 sections 11.3 and 11.4)
     */
    static boolean bindConnection(Fields fields, String name) {
        for (int i = fields.indexOf(name, 0); i >= 0; i = fields.indexOf(name, i + 1)) {
            if (bindConnection(fields.head(), fields.valueStart(i), fields.valueEnd(i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether a response has a connection-based challenge of an origin or a proxy. */
    public static boolean challengesBindConnection(Fields fields) {
        return bindConnection(fields, "WWW-Authenticate") || bindConnection(fields, "Proxy-Authenticate");
    }

    /**
     * The reason of a refused CONNECT. Tinyproxy answers wrong credentials with 401: the target has not been asked, so they can
     * only be the proxy's.
     */
    public static DialException.Reason connectRefusal(int status) {
        return status == PROXY_AUTHENTICATION_REQUIRED || status == UNAUTHORIZED
                ? DialException.Reason.PROXY_AUTH
                : DialException.Reason.PROXY_REFUSED;
    }

    /**
     * Whether credentials go on with a login that is bound to the connection of a challenge: the challenge has a token of their
     * scheme.
     */
    public static boolean continuesLogin(ProxyReply challenge, String credentials) {
        return bindConnection(credentials)
                && ProxyChallenge.of(challenge).stream()
                        .anyMatch(of -> of.token68() != null
                                && credentials.regionMatches(
                                        true,
                                        0,
                                        of.scheme() + " ",
                                        0,
                                        of.scheme().length() + 1));
    }

    /** Whether a field's value has a connection-based scheme. */
    public static boolean bindConnection(String value) {
        if (value.startsWith("Basic ") && value.indexOf(',') < 0 && value.indexOf('"') < 0) {
            return false; // the common case, without a copy
        }
        byte[] bytes = value.getBytes(ISO_8859_1);
        return bindConnection(bytes, 0, bytes.length);
    }

    /**
     * Parses a list of challenges: {@code scheme}, {@code scheme token68}, {@code scheme name=value}, and, after another
     * member, {@code name=value}. Credentials are a list with one member.
     */
    private static boolean bindConnection(byte[] bytes, int from, int to) {
        boolean first = true;
        for (int at = afterBlanksAndCommas(bytes, from, to); at < to; at = afterBlanksAndCommas(bytes, at, to)) {
            int end = Grammar.afterToken(bytes, at, to);
            int next = Grammar.afterOws(bytes, end, to);
            boolean parameter = !first && next < to && bytes[next] == '=';
            boolean scheme = next == to || next > end || bytes[next] == ',';
            if (end == at || (!parameter && (!scheme || !isPerRequest(bytes, at, end)))) {
                return true;
            }
            at = afterMember(bytes, next, to);
            if (at < 0) {
                return true;
            }
            first = false;
        }
        return false;
    }

    private static int afterBlanksAndCommas(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && (Grammar.isOws(bytes[at]) || bytes[at] == ',')) {
            at++;
        }
        return at;
    }

    /**
     * The index of the comma after the member, or the end; -1 if there are bytes after its closing quote, or no closing quote.
     */
    private static int afterMember(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && bytes[at] != ',') {
            if (bytes[at] == '"') {
                at = Grammar.afterOws(bytes, afterQuotes(bytes, at + 1, to), to);
                return at > to || (at < to && bytes[at] != ',') ? -1 : at;
            }
            at++;
        }
        return at;
    }

    /** The index after the closing quote; greater than {@code to} if there is none. */
    private static int afterQuotes(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && bytes[at] != '"') {
            at += bytes[at] == '\\' ? 2 : 1;
        }
        return at < to ? at + 1 : to + 1;
    }

    private static boolean isPerRequest(byte[] bytes, int from, int to) {
        return PER_REQUEST.contains(new String(bytes, from, to - from, ISO_8859_1).toLowerCase(Locale.ROOT));
    }
}
