package io.broxy.examples;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a time: a whole number with a unit ({@code 500ms}, {@code 10s}, {@code 5m}, {@code 1h}) or ISO 8601
 * ({@code PT1M30S}). It may be zero but not negative.
 *
 * <p>Threading: immutable.
 */
class DurationConverter implements Converter<Duration> {
    @Override
    public Duration convert(String text) {
        Duration time;
        try {
            Matcher matcher = Pattern.compile("([0-9]+)(ms|s|m|h)").matcher(text);
            time = matcher.matches()
                    ? Duration.of(Long.parseLong(matcher.group(1)), unit(matcher.group(2)))
                    : Duration.parse(text);
        } catch (DateTimeException | ArithmeticException | NumberFormatException e) { // the latter two for too much
            throw new IllegalArgumentException(
                    Found.value(text) + " is not a time such as 500ms, 10s, 5m, 1h or PT1M30S (ISO 8601)");
        }
        if (time.isNegative()) {
            throw new IllegalArgumentException(Found.value(text) + " is negative");
        }
        return time;
    }

    private static ChronoUnit unit(String name) {
        return switch (name) {
            case "ms" -> ChronoUnit.MILLIS;
            case "s" -> ChronoUnit.SECONDS;
            case "m" -> ChronoUnit.MINUTES;
            case "h" -> ChronoUnit.HOURS;
            default -> throw new AssertionError(name);
        };
    }

    /** Reads a time that must be more than zero. Threading: immutable. */
    static final class Positive extends DurationConverter {
        @Override
        public Duration convert(String text) {
            Duration time = super.convert(text);
            if (time.isZero()) {
                throw new IllegalArgumentException(Found.value(text) + " is not more than zero");
            }
            return time;
        }
    }
}
