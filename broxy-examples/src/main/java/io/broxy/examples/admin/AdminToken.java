package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.MessageDigest;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The secret of operators that may change something, as a Bearer token (RFC 6750 section 2.1).
 *
 * <p>Threading: immutable.
 */
public final class AdminToken {
    /** Shorter ones could be guessed, because guesses are not throttled. */
    private static final int SHORTEST = 16;

    private static final Pattern SYNTAX = Pattern.compile("[A-Za-z0-9._~+/-]+=*");
    private static final String SCHEME = "bearer ";

    private final byte[] token;

    private AdminToken(byte[] token) {
        this.token = token;
    }

    /**
     * Returns a token.
     *
     * @throws IllegalArgumentException if it is too short or has characters that a Bearer token must not have; the
     *     message does not show it
     */
    public static AdminToken of(String text) {
        if (text.length() < SHORTEST) {
            throw new IllegalArgumentException("a token has at least " + SHORTEST + " characters");
        }
        if (!SYNTAX.matcher(text).matches()) {
            throw new IllegalArgumentException("a token consists of letters, digits and -._~+/, and '=' at its end");
        }
        return new AdminToken(text.getBytes(ISO_8859_1));
    }

    /** Whether the value of an {@code Authorization} field has this token; takes the same time for all wrong ones. */
    boolean isIn(String authorization) {
        if (!authorization.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
            return false;
        }
        byte[] given = authorization.substring(SCHEME.length()).strip().getBytes(ISO_8859_1);
        return MessageDigest.isEqual(given, token);
    }

    /** Does not show it. */
    @Override
    public String toString() {
        return "AdminToken";
    }
}
