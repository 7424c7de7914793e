package io.broxy.core.internal.http;

import java.nio.ByteBuffer;

/**
 * Via, the list of proxies that have forwarded a message (RFC 9110, section 7.6.3):
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

    /** An unterminated comment does not count as one, so that it cannot hide the following members. */
    private boolean commentsClose = true;

    private Via(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        this.end = end;
        at = start;
    }

    /** Whether the proxy with a pseudonym has received a message; compared ignoring case. */
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

    /** Skips white space and a word. */
    private void skipWord() {
        skipSpace();
        while (at < end && bytes[at] != ',' && !Grammar.isOws(bytes[at]) && !isComment()) {
            at++;
        }
    }

    private void skipSpace() {
        at = Grammar.afterOws(bytes, at, end);
    }

    /** Skips to the position after the comma that ends the member. */
    private void skipMember() {
        while (at < end && bytes[at] != ',') {
            at = isComment() ? commentEnd() : at + 1;
        }
        at++;
    }

    private boolean isComment() {
        return bytes[at] == '(' && commentsClose && commentEnd() <= end;
    }

    /** The index after a comment, which may be nested (RFC 9110, section 5.6.5), or past the end. */
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
     * @param minorVersion the minor version of the received message
     * @throws IllegalArgumentException if the pseudonym is not valid in Via
     */
    static void put(int minorVersion, String pseudonym, ByteBuffer out) {
        if (!Grammar.isVisible(pseudonym) || pseudonym.indexOf(',') >= 0 || pseudonym.indexOf('(') >= 0) {
            throw new IllegalArgumentException("not a valid pseudonym of a proxy");
        }
        Ascii.put(LINE_START, out);
        Ascii.putDecimal(minorVersion, out);
        out.put(Grammar.SP);
        Ascii.put(pseudonym, out);
        Ascii.putCrlf(out);
    }
}
