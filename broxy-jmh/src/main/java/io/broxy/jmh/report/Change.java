package io.broxy.jmh.report;

import org.jspecify.annotations.Nullable;

/**
 * One figure in two result files.
 *
 * <p>Threading: immutable.
 *
 * @param what the figure, such as {@code CopyConn 1 KiB, broxy, pooled: ns/op}
 * @param before what the older file says, or null if it does not have it
 * @param after what the newer file says, or null if it does not have it
 * @param verdict what that means
 */
public record Change(
        String what, @Nullable Figure before, @Nullable Figure after, Verdict verdict) {

    /** What a change means; less is better in every figure that is compared. */
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
     * Judges two figures: changed if their intervals have no point in common, and the values differ by more than a part.
     *
     * @param least the part of the older value that a change must exceed, such as 0.05
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
