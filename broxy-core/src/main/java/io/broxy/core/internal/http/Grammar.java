package io.broxy.core.internal.http;

/**
 * The character classes of HTTP (RFC 9110, section 5) and of a URI's scheme and host (RFC 3986, sections 3.1 and 3.2.2), one table for all.
 *
 * <p>The predicates accept a byte, which is treated as unsigned, or a character; characters above 0xFF belong to no class.
 *
 * <p>Threading: stateless.
 */
final class Grammar {
    static final byte HTAB = '\t';
    static final byte LF = '\n';
    static final byte CR = '\r';
    static final byte SP = ' ';

    private static final int TCHAR = 1;
    private static final int VCHAR = 1 << 1;
    private static final int FIELD_BYTE = 1 << 2;
    private static final int DIGIT = 1 << 3;
    private static final int HEX_DIGIT = 1 << 4;
    private static final int REG_NAME = 1 << 5;
    private static final int LETTER = 1 << 6;

    private static final String TCHAR_MARKS = "!#$%&'*+-.^_`|~";
    private static final String UNRESERVED_MARKS = "-._~";
    private static final String SUB_DELIMS = "!$&'()*+,;=";

    private static final byte[] CLASSES = classes();

    private Grammar() {}

    private static byte[] classes() {
        byte[] classes = new byte[256];
        mark(classes, '0', '9', TCHAR | DIGIT | HEX_DIGIT | REG_NAME);
        mark(classes, 'A', 'Z', TCHAR | REG_NAME | LETTER);
        mark(classes, 'a', 'z', TCHAR | REG_NAME | LETTER);
        mark(classes, 'A', 'F', HEX_DIGIT);
        mark(classes, 'a', 'f', HEX_DIGIT);
        mark(classes, TCHAR_MARKS, TCHAR);
        mark(classes, UNRESERVED_MARKS + SUB_DELIMS, REG_NAME);
        mark(classes, 0x21, 0x7E, VCHAR | FIELD_BYTE);
        mark(classes, 0x80, 0xFF, FIELD_BYTE); // obs-text
        mark(classes, SP, SP, FIELD_BYTE);
        mark(classes, HTAB, HTAB, FIELD_BYTE);
        return classes;
    }

    private static void mark(byte[] classes, int first, int last, int bits) {
        for (int c = first; c <= last; c++) {
            classes[c] |= (byte) bits;
        }
    }

    private static void mark(byte[] classes, String characters, int bits) {
        for (int i = 0; i < characters.length(); i++) {
            classes[characters.charAt(i)] |= (byte) bits;
        }
    }

    /** Requires LF after CR (RFC 9112, section 2.2). */
    static void requireLf(byte b) throws BadHeadException {
        if (b != LF) {
            throw BadHeadException.syntax("a CR is not followed by LF");
        }
    }

    private static boolean is(byte b, int bits) {
        return (CLASSES[b & 0xFF] & bits) != 0;
    }

    private static boolean is(char c, int bits) {
        return c <= 0xFF && (CLASSES[c] & bits) != 0;
    }

    /** A byte of a token: a method, a field name (RFC 9110, section 5.6.2). */
    static boolean isTchar(byte b) {
        return is(b, TCHAR);
    }

    /** Visible US-ASCII. */
    static boolean isVchar(byte b) {
        return is(b, VCHAR);
    }

    /** A byte of a field value or a reason phrase: VCHAR, obs-text, SP, HTAB (RFC 9110, section 5.5). */
    static boolean isFieldByte(byte b) {
        return is(b, FIELD_BYTE);
    }

    /** Optional white space: SP or HTAB (RFC 9110, section 5.6.3). */
    static boolean isOws(int c) {
        return c == SP || c == HTAB;
    }

    static boolean isDigit(byte b) {
        return is(b, DIGIT);
    }

    static boolean isHexDigit(byte b) {
        return is(b, HEX_DIGIT);
    }

    /** A byte of a reg-name other than percent-encoding: unreserved and sub-delims (RFC 3986, appendix A). */
    static boolean isRegNameByte(byte b) {
        return is(b, REG_NAME);
    }

    static boolean isLetter(byte b) {
        return is(b, LETTER);
    }

    /** A byte of a URI's scheme, whose first byte must be a letter (RFC 3986, section 3.1). */
    static boolean isSchemeByte(byte b) {
        return is(b, LETTER | DIGIT) || b == '+' || b == '-' || b == '.';
    }

    /** Whether a text is a nonempty token. */
    static boolean isToken(CharSequence text) {
        return !text.isEmpty() && consistsOf(text, TCHAR);
    }

    /** Whether a text is nonempty visible US-ASCII. */
    static boolean isVisible(CharSequence text) {
        return !text.isEmpty() && consistsOf(text, VCHAR);
    }

    /** Whether a text is valid in a field value or a reason phrase; it may be empty. */
    static boolean isFieldText(CharSequence text) {
        return consistsOf(text, FIELD_BYTE);
    }

    private static boolean consistsOf(CharSequence text, int bits) {
        for (int i = 0; i < text.length(); i++) {
            if (!is(text.charAt(i), bits)) {
                return false;
            }
        }
        return true;
    }

    /** The index after a run of decimal digits. */
    static int afterDigits(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && isDigit(bytes[at])) {
            at++;
        }
        return at;
    }

    /** The index after a token, which may be empty. */
    static int afterToken(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && isTchar(bytes[at])) {
            at++;
        }
        return at;
    }

    /** The index after a run of white space. */
    static int afterOws(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && isOws(bytes[at])) {
            at++;
        }
        return at;
    }

    /** The index of the first occurrence of a byte, or {@code to}. */
    static int indexOf(byte[] bytes, char wanted, int from, int to) {
        int at = from;
        while (at < to && bytes[at] != wanted) {
            at++;
        }
        return at;
    }

    /** Whether bytes equal a text, ignoring the case of US-ASCII letters. */
    static boolean equalsIgnoreCase(byte[] bytes, int from, int to, String text) {
        if (to - from != text.length()) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (lowerCase(bytes[i] & 0xFF) != lowerCase(text.charAt(i - from))) {
                return false;
            }
        }
        return true;
    }

    /** Whether two ranges of bytes are equal, ignoring the case of US-ASCII letters. */
    static boolean equalsIgnoreCase(byte[] bytes, int from, int to, byte[] others, int othersFrom, int othersTo) {
        if (to - from != othersTo - othersFrom) {
            return false;
        }
        for (int i = 0; i < to - from; i++) {
            if (lowerCase(bytes[from + i] & 0xFF) != lowerCase(others[othersFrom + i] & 0xFF)) {
                return false;
            }
        }
        return true;
    }

    private static int lowerCase(int c) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }
}
