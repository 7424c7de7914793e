package io.broxy;

/**
 * Makes text from outside fit for a message: quoted, truncated, and printable ASCII only.
 *
 * <p>Threading: stateless.
 */
final class Printable {
    /** Enough to recognize a target; the 8 KiB of a long request line do not belong into a message. */
    private static final int SHOWN = 80;

    private Printable() {}

    /** Whether a text is not empty and fits into a line: printable ASCII only. */
    static boolean isLine(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= ' ' && c <= '~');
    }

    /** The text in quotation marks; not shown at all if it has an '@', because a password may precede that. */
    static String quote(String text) {
        if (text.indexOf('@') >= 0) {
            return "(not shown)";
        }
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < Math.min(text.length(), SHOWN); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                if (c == '"' || c == '\\') {
                    quoted.append('\\');
                }
                quoted.append(c);
            }
        }
        return quoted.append(text.length() > SHOWN ? "\"..." : "\"").toString();
    }
}
