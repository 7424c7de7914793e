package io.broxy.core.internal.http;

import java.nio.ByteBuffer;

/**
 * Via, the proxies that a message has passed (RFC 9110, section 7.6.3):
 *
 * <pre>
 *   Via               = #( received-protocol RWS received-by [ RWS comment ] )
 *   received-protocol = [ protocol-name "/" ] protocol-version
 * </pre>
 *
 * <p>Threading: for one thread at a time.
 */
final class Via {
    private static final String VIA = "Via";
    private static final String LINE_START = "Via: 1.";

    private final byte[] bytes;
    private final int end;
    private int at;

    /** A comment that is never closed is none: it must not hide what follows it. */
    private boolean commentsClose = true;

    private Via(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        this.end = end;
        at = start;
    }

    /** Whether a message has been received by a proxy of this name, letter case aside. */
    static boolean names(Fields fields, String pseudonym) {
        for (int i = fields.indexOf(VIA, 0); i >= 0; i = fields.indexOf(VIA, i + 1)) {
            if (new Via(fields.head(), fields.valueStart(i), fields.valueEnd(i)).names(pseudonym)) {
                return true;
            }
        }
        return false;
    }

    private boolean names(String pseudonym) {
        while (at < end) {
            skipWord(); // the protocol
            skipSpace();
            int start = at;
            skipWord();
            if (Grammar.equalsIgnoreCase(bytes, start, at, pseudonym)) {
                return true;
            }
            skipMember();
        }
        return false;
    }

    /** Goes behind a word, after the white space before it. */
    private void skipWord() {
        skipSpace();
        while (at < end && bytes[at] != ',' && !Grammar.isOws(bytes[at]) && !isComment()) {
            at++;
        }
    }

    private void skipSpace() {
        at = Grammar.afterOws(bytes, at, end);
    }

    /** Goes behind the comma that ends the member. */
    private void skipMember() {
        while (at < end && bytes[at] != ',') {
            at = isComment() ? commentEnd() : at + 1;
        }
        at++;
    }

    private boolean isComment() {
        return bytes[at] == '(' && commentsClose && commentEnd() <= end;
    }

    /** Behind the comment that begins here, which may have others in it (RFC 9110, section 5.6.5), or behind the end. */
    private int commentEnd() {
        int depth = 0;
        for (int i = at; i < end; i++) {
            if (bytes[i] == '\\') {
                i++;
            } else if (bytes[i] == '(') {
                depth++;
            } else if (bytes[i] == ')' && --depth == 0) {
                return i + 1;
            }
        }
        commentsClose = false;
        return end + 1;
    }

    /**
     * Puts a line for this proxy.
     *
     * @param minorVersion of the message as it was received
     * @throws IllegalArgumentException if the pseudonym is no word of Via
     */
    static void put(int minorVersion, String pseudonym, ByteBuffer out) {
        if (!Grammar.isVisible(pseudonym) || pseudonym.indexOf(',') >= 0 || pseudonym.indexOf('(') >= 0) {
            throw new IllegalArgumentException("no pseudonym of a proxy");
        }
        Ascii.put(LINE_START, out);
        Ascii.putDecimal(minorVersion, out);
        out.put(Grammar.SP);
        Ascii.put(pseudonym, out);
        Ascii.putCrlf(out);
    }
}
