package io.broxy.examples;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a number of bytes, at least one: {@code 500000}, {@code 512K}, {@code 10M}, {@code 1G}. Threading: immutable. */
final class RateConverter implements Converter<Long> {
    @Override
    public Long convert(String text) {
        Matcher matcher = Pattern.compile("([0-9]+)([KMG]?)").matcher(text);
        long bytes = 0;
        try {
            bytes = matcher.matches()
                    ? Math.multiplyExact(Long.parseLong(matcher.group(1)), unit(matcher.group(2)))
                    : 0;
        } catch (ArithmeticException | NumberFormatException e) {
            bytes = 0; // too many
        }
        if (bytes < 1) {
            throw new IllegalArgumentException(
                    Found.value(text) + " is not a number of bytes such as 500000, 512K, 10M or 1G");
        }
        return bytes;
    }

    private static long unit(String name) {
        return switch (name) {
            case "" -> 1;
            case "K" -> 1L << 10;
            case "M" -> 1L << 20;
            case "G" -> 1L << 30;
            default -> throw new AssertionError(name);
        };
    }
}
