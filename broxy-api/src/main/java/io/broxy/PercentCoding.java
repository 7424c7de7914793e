package io.broxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;

/**
 * Percent-encoding (RFC 3986 §2.1), of UTF-8.
 *
 * <p>Threading: stateless.
 */
final class PercentCoding {
    /** RFC 3986 §3.2.1, without the letters, the digits and the colon. */
    private static final String USER_INFO_MARKS = "-._~!$&'()*+,;=";

    private PercentCoding() {}

    /**
     * Decodes a part of a URI's user information.
     *
     * @throws IllegalArgumentException if it has a malformed triplet, a character that must be encoded, or bytes that
     *     are not UTF-8; the message shows nothing of it
     */
    static String decode(String text) {
        ByteBuffer bytes = ByteBuffer.allocate(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                bytes.put((byte) (digit(text, i + 1) << 4 | digit(text, i + 2)));
                i += 2;
            } else if (isPlain(c)) {
                bytes.put((byte) c);
            } else {
                throw new IllegalArgumentException(
                        "a character in the user name or the password must be percent-encoded (RFC 3986 section 3.2.1)");
            }
        }
        try {
            return UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("the percent-encoded user name or password is not UTF-8", e);
        }
    }

    private static int digit(String text, int at) {
        char c = at < text.length() ? text.charAt(at) : 0;
        int digit = c < 0x80 ? Character.digit(c, 16) : -1;
        if (digit < 0) {
            throw new IllegalArgumentException(
                    "a % in the user name or the password must be followed by two hexadecimal digits");
        }
        return digit;
    }

    private static boolean isPlain(char c) {
        boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return letter || (c >= '0' && c <= '9') || c == ':' || USER_INFO_MARKS.indexOf(c) >= 0;
    }
}
