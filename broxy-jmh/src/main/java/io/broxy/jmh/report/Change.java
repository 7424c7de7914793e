package io.broxy.jmh.report;

import org.jspecify.annotations.Nullable;

/**
 * One figure in two result files.
 *
 * <p>Threading: immutable.
 *
 * @param what the figure, such as {@code CopyConn 1 KiB, broxy, pooled: ns/op}
 * @param before the figure in the older file, or null if missing
 * @param after the figure in the newer file, or null if missing
 * @param verdict the meaning of the change
 */
public record Change(
        String what, @Nullable Figure before, @Nullable Figure after, Verdict verdict) {

    /** The meaning of a change; less is better in every compared figure. */
    public enum Verdict {
        IMPROVED("improved"),
        WORSE("WORSE"),
        WITHIN_NOISE("within noise"),
        ONLY_BEFORE("missing in the newer"),
        ONLY_AFTER("new");

        private final String words;

        Verdict(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /**
     * Compares two figures: they have changed if their intervals are disjoint and the values differ by more than a fraction.
     *
     * @param least the fraction of the older value that a change must exceed, such as 0.05
     */
    static Change of(String what, @Nullable Figure before, @Nullable Figure after, double least) {
        if (before == null || after == null) {
            return new Change(what, before, after, before == null ? Verdict.ONLY_AFTER : Verdict.ONLY_BEFORE);
        }
        double difference = after.value() - before.value();
        boolean noise = before.overlaps(after) || Math.abs(difference) <= least * Math.abs(before.value());
        return new Change(
                what, before, after, noise ? Verdict.WITHIN_NOISE : difference < 0 ? Verdict.IMPROVED : Verdict.WORSE);
    }
}
