package io.broxy.examples.logging;

/** How a line of the log is written. */
public enum LogFormat {
    /** For people: a line, and the stack trace of an exception below it. */
    TEXT {
        @Override
        void append(StringBuilder line, LogEvent event) {
            TextLine.append(line, event);
        }
    },

    /** For machines: a JSON object (RFC 8259) in a single line. */
    JSON {
        @Override
        void append(StringBuilder line, LogEvent event) {
            JsonLine.append(line, event);
        }
    };

    /** Appends an event, with the end of the line. */
    abstract void append(StringBuilder line, LogEvent event);
}
