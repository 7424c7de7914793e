package io.broxy.examples;

/**
 * Quotes what was found in a file or on the command line, for a message of one line: in printable ASCII, and cut.
 *
 * <p>Threading: stateless.
 */
final class Found {
    /** Enough to find the place by. */
    private static final int SHOWN = 80;

    private Found() {}

    /** A value in apostrophes. It is not shown at all if something is before an '@', for that may be a password. */
    static String value(String text) {
        return text.indexOf('@') > 0 ? "(not shown)" : quote(text, '\'');
    }

    /** A key or a name in quotation marks. */
    static String name(String text) {
        return quote(text, '"');
    }

    private static String quote(String text, char mark) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append(mark);
        int end = Math.min(text.length(), SHOWN);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                if (c == mark || c == '\\') {
                    quoted.append('\\');
                }
                quoted.append(c);
            }
        }
        return quoted.append(mark).append(end < text.length() ? "..." : "").toString();
    }
}
