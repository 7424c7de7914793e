package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * The first line of a head, which differs between requests and responses. Both contain a version, {@code HTTP/DIGIT.DIGIT} (RFC
 * 9112, section 2.3), whose first digit must be 1.
 *
 * <p>Threading: for one thread at a time.
 *
 * @param <T> the type of the head
 */
abstract sealed class FirstLine<T> permits RequestLine, StatusLine {
    /** Each zero stands for any digit. */
    private static final String VERSION = "HTTP/0.0";

    private static final int MAJOR_AT = VERSION.indexOf('0');
    private static final int MINOR_AT = VERSION.lastIndexOf('0');

    private int versionLength;
    private int major;
    private int minor;

    /**
     * Parses the next byte of the line, excluding its end.
     *
     * @param index the index of the byte in the head
     */
    abstract void next(byte b, int index) throws BadHeadException;

    /**
     * Called at the end of the line.
     *
     * @param index the index in the head of the byte that ends the line
     */
    abstract void end(int index) throws BadHeadException;

    /** The exception for a line that exceeds its limit. */
    abstract BadHeadException tooLong();

    /** Creates the head when it is complete. */
    abstract T head(byte[] bytes, Fields fields);

    /** Parses the next byte of the version. An unsupported version is refused as such only if it is well-formed. */
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

    /** 0 or 1: higher versions count as the highest supported one (RFC 9110, section 2.5). */
    final int minorVersion() {
        return Math.min(minor, 1);
    }
}
