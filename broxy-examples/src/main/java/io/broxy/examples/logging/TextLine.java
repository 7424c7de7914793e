package io.broxy.examples.logging;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Writes {@code TIME [THREAD] LEVEL LOGGER - MESSAGE}, and below it a stack trace. Threading: stateless. */
final class TextLine {
    private TextLine() {}

    static void append(StringBuilder line, LogEvent event) {
        Timestamp.append(line, event.millis());
        line.append(" [")
                .append(event.thread())
                .append("] ")
                .append(event.level())
                .append(' ');
        line.append(
                event.logger(),
                event.logger().lastIndexOf('.') + 1,
                event.logger().length());
        line.append(" - ").append(event.message()).append('\n');
        if (event.cause() != null) {
            line.append(trace(event.cause()));
        }
    }

    /** A stack trace as {@link Throwable#printStackTrace()} writes it. */
    static String trace(Throwable cause) {
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }
}
