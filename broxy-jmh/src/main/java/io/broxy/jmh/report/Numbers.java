package io.broxy.jmh.report;

import java.util.Locale;

/** Formats numbers for tables, independently of the locale. Threading: immutable. */
final class Numbers {
    private Numbers() {}

    /** Formats without decimals from 100 up, otherwise with enough digits to distinguish values. */
    static String plain(double value) {
        if (value == 0) {
            return "0"; // rather than "-0"
        }
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 99.5 ? "%,.0f" : size >= 9.95 ? "%.1f" : "%.2f", value);
    }

    static String percent(double part) {
        return String.format(Locale.ROOT, part < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * part);
    }

    static String times(double ratio) {
        return String.format(Locale.ROOT, ratio >= 99.5 ? "%,.0f" : ratio >= 9.95 ? "%.1f" : "%.2f", ratio);
    }
}
