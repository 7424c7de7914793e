package io.broxy.examples.logging;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** Writes a time as RFC 3339 has it, with milliseconds and the offset of this machine's time zone. Threading: stateless. */
final class Timestamp {
    private static final int NANOS_PER_MILLI = 1_000_000;

    private Timestamp() {}

    static void append(StringBuilder text, long millis) {
        append(text, OffsetDateTime.ofInstant(Instant.ofEpochMilli(millis), ZoneId.systemDefault()));
    }

    private static void append(StringBuilder text, OffsetDateTime time) {
        digits(text, time.getYear(), 4);
        text.append('-');
        digits(text, time.getMonthValue(), 2);
        text.append('-');
        digits(text, time.getDayOfMonth(), 2);
        text.append('T');
        digits(text, time.getHour(), 2);
        text.append(':');
        digits(text, time.getMinute(), 2);
        text.append(':');
        digits(text, time.getSecond(), 2);
        text.append('.');
        digits(text, time.getNano() / NANOS_PER_MILLI, 3);
        ZoneOffset offset = time.getOffset();
        text.append(offset.getId());
    }

    private static void digits(StringBuilder text, int number, int width) {
        String digits = Integer.toString(number);
        for (int i = digits.length(); i < width; i++) {
            text.append('0');
        }
        text.append(digits);
    }
}
