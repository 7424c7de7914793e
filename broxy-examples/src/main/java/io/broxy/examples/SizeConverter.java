package io.broxy.examples;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads a size in bytes within a range: {@code 16384}, {@code 32k}, {@code 64KiB}, {@code 1M}. Threading: immutable. */
final class SizeConverter implements Converter<Integer> {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})(?:([km])(?:i?b)?)?", Pattern.CASE_INSENSITIVE);

    private final int least;
    private final int most;

    SizeConverter(int least, int most) {
        this.least = least;
        this.most = most;
    }

    @Override
    public Integer convert(String text) {
        Matcher size = SIZE.matcher(text);
        long bytes = size.matches() ? Long.parseLong(size.group(1)) * unit(size.group(2)) : -1;
        if (bytes < least || bytes > most) {
            throw new IllegalArgumentException("'" + text + "' is not a size from " + least + " to " + most
                    + " bytes such as 16384, 32k, 64KiB or 1M");
        }
        return (int) bytes;
    }

    private static long unit(@Nullable String name) {
        if (name == null) {
            return 1;
        }
        return name.toLowerCase(Locale.ROOT).equals("k") ? 1L << 10 : 1L << 20;
    }
}
