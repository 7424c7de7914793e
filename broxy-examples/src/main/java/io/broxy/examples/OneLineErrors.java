package io.broxy.examples;

import java.io.PrintStream;
import java.util.regex.Pattern;

/** Tells what an operator can put right in one line, whatever is in it. */
final class OneLineErrors {
    /** What would begin another line, or do worse to a terminal. */
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}\\u2028\\u2029]+");

    /** The user information of a proxy's URI, which is quoted where an option's name is misspelt. */
    private static final Pattern USER_INFO = Pattern.compile("(?<=://).*@");

    private OneLineErrors() {}

    /** Prints the message of a failure. */
    static void tell(PrintStream err, Exception failure) {
        String message = String.valueOf(failure.getMessage());
        String line = USER_INFO.matcher(oneLine(message)).replaceAll("(not shown)@");
        err.println(MiniServer.NAME + ": " + line);
    }

    /** The text without what would begin another line. */
    static String oneLine(String text) {
        return CONTROLS.matcher(text).replaceAll(" ");
    }
}
