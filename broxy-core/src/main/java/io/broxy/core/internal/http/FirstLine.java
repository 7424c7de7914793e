package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * The line that begins a head: what distinguishes requests from responses. Both have a version in it, {@code HTTP/DIGIT.DIGIT}
 * (RFC 9112, section 2.3), of which the first digit has to be 1.
 *
 * <p>Threading: for one thread at a time.
 *
 * @param <T> what the whole head becomes
 */
abstract sealed class FirstLine<T> permits RequestLine, StatusLine {
    /** A zero is the place of any digit. */
    private static final String VERSION = "HTTP/0.0";

    private static final int MAJOR_AT = VERSION.indexOf('0');
    private static final int MINOR_AT = VERSION.lastIndexOf('0');

    private int versionLength;
    private int major;
    private int minor;

    /**
     * Takes the next byte of the line; never the one that ends it.
     *
     * @param index of the byte in the head
     */
    abstract void next(byte b, int index) throws BadHeadException;

    /**
     * The line has ended.
     *
     * @param index of the byte that ends it in the head
     */
    abstract void end(int index) throws BadHeadException;

    /** Why a line is refused that is longer than allowed. */
    abstract BadHeadException tooLong();

    /** The head, when all of it has come. */
    abstract T head(byte[] bytes, Fields fields);

    /** Takes the next byte of the version. A foreign version is refused as such only when it is well-formed. */
    final void nextOfVersion(byte b) throws BadHeadException {
        if (hasVersion() || !isExpected(b, VERSION.charAt(versionLength))) {
            throw syntax(b, "the version is not HTTP/digit.digit");
        }
        if (versionLength == MAJOR_AT) {
            major = b - '0';
        } else if (versionLength == MINOR_AT) {
            minor = b - '0';
            if (major != 1) {
                throw new BadHeadException(Problem.VERSION, "the version is not HTTP/1.x");
            }
        }
        versionLength++;
    }

    private static boolean isExpected(byte b, char shape) {
        return shape == '0' ? Grammar.isDigit(b) : shape == b;
    }

    /** Whether the version is complete. */
    final boolean hasVersion() {
        return versionLength == VERSION.length();
    }

    /** 0 or 1: a higher one is taken for the highest that is known here (RFC 9110, section 2.5). */
    final int minorVersion() {
        return Math.min(minor, 1);
    }
}
