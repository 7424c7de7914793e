package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the value of a variable such as {@code https_proxy} as curl and Go's {@code httpproxy} do, which take more than a
 * {@link ProxyUri} is: no scheme is {@code http}, an empty port is none, what follows the host is left out, and characters
 * of the user information need no percent-encoding.
 *
 * <p>Threading: stateless.
 */
final class ProxyVariable {
    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://(.*)", Pattern.DOTALL);

    /** What {@link PercentCoding} takes as it is. */
    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    private ProxyVariable() {}

    /**
     * Reads a value.
     *
     * @throws IllegalArgumentException if it names no proxy; the message is one line of printable ASCII without credentials
     */
    static ProxyUri read(String value) {
        String text = unquote(value);
        Matcher parts = SCHEME.matcher(text);
        boolean whole = parts.matches();
        String scheme = whole ? parts.group(1) : "http";
        String rest = whole ? parts.group(2) : text;
        int end = endOfAuthority(rest);
        if (rest.indexOf('@', end) >= 0) {
            throw new IllegalArgumentException("not a proxy URI: (not shown): one of \"/ ? #\" in the user name or the"
                    + " password must be percent-encoded");
        }
        int at = rest.lastIndexOf('@', end);
        String userInfo = at < 0 ? "" : encode(rest.substring(0, at));
        String host = withoutEmptyPort(rest.substring(at + 1, end));
        boolean anonymous = userInfo.isEmpty() || userInfo.equals(":");
        int colon = host.startsWith("[") || host.indexOf(':') < 0 ? host.length() : host.indexOf(':');
        String name = ProxyExceptions.ascii(host.substring(0, colon));
        return parse(scheme + "://" + (anonymous ? "" : userInfo + "@") + name + host.substring(colon));
    }

    private static ProxyUri parse(String uri) {
        try {
            return ProxyUri.parse(uri);
        } catch (IllegalArgumentException e) {
            int authority = uri.indexOf("://") + 3;
            int colon = uri.indexOf(':', authority);
            boolean portOnly = colon < 0
                    || uri.startsWith("[", authority)
                    || uri.substring(colon + 1).matches("[0-9]*");
            if (uri.indexOf('@') >= 0 || portOnly) {
                throw e; // it shows no user information
            }
            throw new IllegalArgumentException(
                    "not a proxy URI: (not shown): behind the host and a \":\" there is no port, but perhaps a password");
        }
    }

    /** The text without the quotation marks around all of it, which some files of variables leave there. */
    static String unquote(String text) {
        String stripped = text.strip();
        if (stripped.length() < 2) {
            return stripped;
        }
        char mark = stripped.charAt(0);
        boolean quoted = (mark == '"' || mark == '\'') && stripped.indexOf(mark, 1) == stripped.length() - 1;
        return quoted ? stripped.substring(1, stripped.length() - 1).strip() : stripped;
    }

    private static int endOfAuthority(String rest) {
        int end = 0;
        while (end < rest.length() && "/?#".indexOf(rest.charAt(end)) < 0) {
            end++;
        }
        return end;
    }

    private static String withoutEmptyPort(String host) {
        return host.endsWith(":") && (host.indexOf(':') == host.length() - 1 || host.endsWith("]:"))
                ? host.substring(0, host.length() - 1)
                : host;
    }

    /** Percent-encodes what is not: a triplet and the first colon stay. */
    private static String encode(String userInfo) {
        StringBuilder encoded = new StringBuilder(userInfo.length());
        boolean user = true;
        for (int i = 0; i < userInfo.length(); i += Character.charCount(userInfo.codePointAt(i))) {
            String character = Character.toString(userInfo.codePointAt(i));
            boolean separator = user && character.equals(":");
            boolean triplet = character.equals("%") && userInfo.substring(i).matches("(?s)%[0-9A-Fa-f]{2}.*");
            if (separator || triplet || UNRESERVED.contains(character)) {
                encoded.append(character);
            } else {
                for (byte b : character.getBytes(UTF_8)) {
                    encoded.append(String.format("%%%02X", b));
                }
            }
            user &= !separator;
        }
        return encoded.toString();
    }
}
