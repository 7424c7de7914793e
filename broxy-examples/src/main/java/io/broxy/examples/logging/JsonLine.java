package io.broxy.examples.logging;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes an object with {@code time}, {@code level}, {@code logger}, {@code thread} and {@code message}; with {@code exception},
 * the stack trace, if there is one; and for a line of the access log with its keys in place of a message.
 *
 * <p>Threading: stateless.
 */
final class JsonLine {
    private static final String HEX = "0123456789abcdef";

    /** The keys of the access log whose values are numbers. */
    private static final Set<String> NUMBERS = Set.of("status", "to_origin", "to_client", "ms");

    private JsonLine() {}

    static void append(StringBuilder line, LogEvent event) {
        line.append("{\"time\":\"");
        Timestamp.append(line, event.millis());
        line.append('"');
        field(line, "level", event.level().toString());
        field(line, "logger", event.logger());
        field(line, "thread", event.thread());
        Map<String, @Nullable String> fields = fields(event);
        if (fields.isEmpty()) {
            field(line, "message", event.message());
        }
        fields.forEach((key, value) -> {
            if (value != null && NUMBERS.contains(key)) {
                line.append(",\"").append(key).append("\":").append(value);
            } else {
                field(line, key, value);
            }
        });
        if (event.cause() != null) {
            field(line, "exception", TextLine.trace(event.cause()));
        }
        line.append("}\n");
    }

    private static Map<String, @Nullable String> fields(LogEvent event) {
        if (event.isAccess()) {
            return AccessLine.fields(event.message());
        }
        return Map.of();
    }

    private static void field(StringBuilder line, String key, @Nullable String value) {
        line.append(",\"").append(key).append("\":");
        if (value == null) {
            line.append("null");
        } else {
            line.append('"');
            escape(line, value);
            line.append('"');
        }
    }

    private static void escape(StringBuilder line, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"', '\\' -> line.append('\\').append(c);
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (c < ' ' || isUnpaired(value, i)) {
                        unicode(line, c);
                    } else {
                        line.append(c);
                    }
                }
            }
        }
    }

    /** Half of a character, which UTF-8 cannot express. */
    private static boolean isUnpaired(String value, int at) {
        char c = value.charAt(at);
        if (Character.isHighSurrogate(c)) {
            return at + 1 == value.length() || !Character.isLowSurrogate(value.charAt(at + 1));
        }
        return Character.isLowSurrogate(c) && (at == 0 || !Character.isHighSurrogate(value.charAt(at - 1)));
    }

    private static void unicode(StringBuilder line, char c) {
        line.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            line.append(HEX.charAt(c >> shift & 0xF));
        }
    }
}
