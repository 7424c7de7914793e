package io.broxy;

import java.util.Locale;
import java.util.Set;

/**
 * The header fields that users' code may write: no name or value can end its line and begin another, and none frames a message
 * or concerns a connection.
 *
 * <p>Threading: stateless.
 */
final class FieldSyntax {
    /** The proxy itself writes framing and connection fields (RFC 9110 section 7.6.1). */
    private static final Set<String> WRITTEN_BY_PROXY = Set.of(
            "connection",
            "content-length",
            "http2-settings",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authentication-info",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");

    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

    private FieldSyntax() {}

    /**
     * Checks a field's name.
     *
     * @throws IllegalArgumentException if it is not a token, or the proxy itself writes the field
     */
    static void checkName(String name) {
        if (!isToken(name)) {
            throw new IllegalArgumentException("the field name is not a token");
        }
        if (WRITTEN_BY_PROXY.contains(lowerCase(name))) {
            throw new IllegalArgumentException("the proxy itself writes " + name);
        }
    }

    /**
     * Checks a field's value.
     *
     * @throws IllegalArgumentException if it has a control character other than HTAB or one outside ISO-8859-1, or begins or
     *     ends with white space; the message leaves out the value, which may be a secret
     */
    static void checkValue(String name, String value) {
        if (!isFieldValue(value)) {
            throw new IllegalArgumentException("the value of " + name + " has a forbidden character");
        }
    }

    /** The form in which names are compared. */
    static String lowerCase(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private static boolean isToken(String text) {
        return !text.isEmpty() && text.chars().allMatch(FieldSyntax::isTokenChar);
    }

    /** Whether a character may be in a token (RFC 9110 section 5.6.2). */
    static boolean isTokenChar(int c) {
        return isAlphanumeric(c) || TOKEN_MARKS.indexOf(c) >= 0;
    }

    /** Whether a character is a letter or digit of US-ASCII. */
    static boolean isAlphanumeric(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    private static boolean isFieldValue(String text) {
        boolean outerSpace = !text.isEmpty() && (isSpace(text.charAt(0)) || isSpace(text.charAt(text.length() - 1)));
        return !outerSpace && text.chars().allMatch(c -> c == '\t' || (c >= ' ' && c <= 0xFF && c != 0x7F));
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }
}
