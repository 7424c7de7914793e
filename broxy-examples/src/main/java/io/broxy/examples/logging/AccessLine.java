package io.broxy.examples.logging;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the keys and values of a line of Broxy's access log, whose form is part of its interface.
 *
 * <p>Threading: for one thread.
 */
final class AccessLine {
    private static final String NOTHING = "-";
    private static final String CUT = "...";
    private static final int HEX = 16;
    private static final int UNICODE_DIGITS = 4;

    private final String line;
    private int at;

    private AccessLine(String line) {
        this.line = line;
    }

    /**
     * The values by their keys, in the line's order.
     *
     * @return null for a key without a value; empty if this is no line of the access log
     */
    static Map<String, @Nullable String> fields(String line) {
        Map<String, @Nullable String> fields = new LinkedHashMap<>();
        AccessLine rest = new AccessLine(line);
        while (rest.at < line.length()) {
            int equals = line.indexOf('=', rest.at);
            if (equals < 0) {
                return Map.of();
            }
            String key = line.substring(rest.at, equals);
            rest.at = equals + 1;
            fields.put(key, rest.value());
            rest.at++; // the space
        }
        return fields;
    }

    private @Nullable String value() {
        if (at < line.length() && line.charAt(at) == '"') {
            at++;
            return quoted();
        }
        int space = line.indexOf(' ', at);
        int end = space < 0 ? line.length() : space;
        String value = line.substring(at, end);
        at = end;
        return value.equals(NOTHING) ? null : value;
    }

    private boolean isUnicode() {
        return line.charAt(at) == 'u'
                && at + UNICODE_DIGITS < line.length()
                && line.chars().skip(at + 1L).limit(UNICODE_DIGITS).allMatch(c -> Character.digit(c, HEX) >= 0);
    }

    private String quoted() {
        StringBuilder value = new StringBuilder();
        while (at < line.length() && line.charAt(at) != '"') {
            char c = line.charAt(at++);
            if (c != '\\' || at == line.length()) {
                value.append(c);
            } else if (isUnicode()) {
                value.append((char) Integer.parseInt(line, at + 1, at + 1 + UNICODE_DIGITS, HEX));
                at += 1 + UNICODE_DIGITS;
            } else {
                value.append(line.charAt(at++));
            }
        }
        at++; // the quotation mark
        if (line.startsWith(CUT, at)) {
            value.append(CUT);
            at += CUT.length();
        }
        return value.toString();
    }
}
