package io.broxy;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the challenges of one field line (RFC 9110 section 11.6.1), where a comma divides both challenges and the parameters of
 * one challenge: a member {@code name=value} belongs to the challenge before it, any other begins a new one.
 *
 * <p>Threading: for one thread.
 */
final class ChallengeParser {
    private final String line;
    private int at;

    private @Nullable String scheme;
    private @Nullable String token68;
    private Map<String, String> parameters = new LinkedHashMap<>();

    ChallengeParser(String line) {
        this.line = line;
    }

    /** Reads a field that is a list of parameters alone (RFC 7616 section 3.5); up to the first malformed one. */
    static Map<String, String> parameters(String line) {
        ChallengeParser parser = new ChallengeParser(line);
        do {
            parser.skipBlanksAndCommas();
        } while (parser.isParameter());
        return parser.parameters;
    }

    private boolean isParameter() {
        String name = token();
        skipBlanks();
        return isAt('=') && parameter(name) && atMembersEnd();
    }

    /** Adds the challenges up to the first malformed one. */
    void addTo(List<ProxyChallenge> all) {
        skipBlanksAndCommas();
        while (at < line.length()) {
            int start = at;
            String word = token();
            skipBlanks();
            boolean ofChallenge = scheme != null && isAt('=');
            boolean sound = ofChallenge ? parameter(word) : challenge(word, start, all);
            if (!sound || !atMembersEnd()) {
                return;
            }
            skipBlanksAndCommas();
        }
        finish(all);
    }

    /** A new challenge begins, and the one before is whole. */
    private boolean challenge(String word, int start, List<ProxyChallenge> all) {
        boolean divided = at > start + word.length();
        if (word.isEmpty() || !(divided || atMembersEnd())) {
            return false;
        }
        finish(all);
        scheme = word;
        if (atMembersEnd()) {
            return true;
        }
        token68 = token68();
        if (token68 != null) {
            return true;
        }
        return isParameter();
    }

    private void finish(List<ProxyChallenge> all) {
        if (scheme != null) {
            all.add(new ProxyChallenge(scheme, token68, Collections.unmodifiableMap(parameters)));
        }
        scheme = null;
        token68 = null;
        parameters = new LinkedHashMap<>();
    }

    /** Reads {@code "=" value}; a parameter that is there twice is malformed, and so is one beside a token. */
    private boolean parameter(String name) {
        at++;
        skipBlanks();
        String value = isAt('"') ? quoted() : unquoted();
        skipBlanks();
        return value != null
                && !name.isEmpty()
                && token68 == null
                && parameters.putIfAbsent(FieldSyntax.lowerCase(name), value) == null;
    }

    // ------------------------------------------------------------------ words

    private String token() {
        int start = at;
        while (at < line.length() && FieldSyntax.isTokenChar(line.charAt(at))) {
            at++;
        }
        return line.substring(start, at);
    }

    /** Nothing is read, and null returned, if what is here is no {@code token68} (RFC 9110 section 11.2). */
    private @Nullable String token68() {
        int start = at;
        while (at < line.length()
                && (FieldSyntax.isAlphanumeric(line.charAt(at)) || "-._~+/".indexOf(line.charAt(at)) >= 0)) {
            at++;
        }
        int end = at;
        while (isAt('=')) {
            at++;
        }
        String token = line.substring(start, at);
        skipBlanks();
        if (end > start && atMembersEnd()) {
            return token;
        }
        at = start;
        return null;
    }

    /** Some proxies leave out the quotes around what is no token, such as base64. */
    private @Nullable String unquoted() {
        int start = at;
        while (at < line.length() && !isAt(',') && !isAt(' ') && !isAt('\t') && !isAt('"')) {
            at++;
        }
        return at == start ? null : line.substring(start, at);
    }

    /** Null if the quotes do not end. */
    private @Nullable String quoted() {
        StringBuilder text = new StringBuilder();
        for (at++; at < line.length(); at++) {
            char c = line.charAt(at);
            if (c == '"') {
                at++;
                return text.toString();
            }
            if (c == '\\' && ++at < line.length()) {
                c = line.charAt(at);
            }
            text.append(c);
        }
        return null;
    }

    // ------------------------------------------------------------------ between them

    private boolean isAt(char c) {
        return at < line.length() && line.charAt(at) == c;
    }

    private boolean atMembersEnd() {
        return at == line.length() || isAt(',');
    }

    private void skipBlanks() {
        while (isAt(' ') || isAt('\t')) {
            at++;
        }
    }

    private void skipBlanksAndCommas() {
        while (isAt(' ') || isAt('\t') || isAt(',')) {
            at++;
        }
    }
}
