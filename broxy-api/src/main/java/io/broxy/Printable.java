package io.broxy;

/**
 * Makes text that came from outside fit for a message: quoted, cut, and nothing but printable ASCII.
 *
 * <p>Threading: stateless.
 */
final class Printable {
    /** Enough to recognise a target by; a message is no place for the 8 KiB that a request line may hold. */
    private static final int SHOWN = 80;

    private Printable() {}

    /** The text in quotation marks; not shown at all if it has an '@', for what stands before that may be a password. */
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
