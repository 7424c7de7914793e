package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import io.broxy.core.internal.http.BadHeadException.Problem;

/**
 * {@code HTTP/DIGIT.DIGIT} (RFC 9112, section 2.3), of which the first digit has to be 1.
 *
 * <p>Threading: for one thread at a time.
 */
final class Version {
    /** A zero is the place of any digit. */
    private static final String SHAPE = "HTTP/0.0";

    private static final int MAJOR_AT = SHAPE.indexOf('0');
    private static final int MINOR_AT = SHAPE.lastIndexOf('0');

    private int count;
    private int major;
    private int minor;

    /** Takes the next byte. A foreign version is refused as such only when it is well-formed. */
    void next(byte b) throws BadHeadException {
        if (complete() || !(SHAPE.charAt(count) == '0' ? Grammar.isDigit(b) : SHAPE.charAt(count) == b)) {
            throw syntax(b, "the version is not HTTP/digit.digit");
        }
        if (count == MAJOR_AT) {
            major = b - '0';
        } else if (count == MINOR_AT) {
            minor = b - '0';
            requireMajorOne();
        }
        count++;
    }

    private void requireMajorOne() throws BadHeadException {
        if (major != 1) {
            throw new BadHeadException(Problem.VERSION, "the version is not HTTP/1.x");
        }
    }

    boolean complete() {
        return count == SHAPE.length();
    }

    /** 0 or 1: a higher one is taken for the highest that is known here (RFC 9110, section 2.5). */
    int minor() {
        return Math.min(minor, 1);
    }
}
