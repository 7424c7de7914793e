package io.broxy.core.internal.observe;

/**
 * The buckets of duration histograms: 32 in each decade, one for what is shorter than all decades, and one for what is longer. Their
 * widths are a tenth of a power of ten up to 2, a quarter up to 5 and a half up to 10, which is 12.5 % of the lower bound at most.
 *
 * <p>Threading: stateless.
 */
final class DurationBuckets {
    private static final long SHORTEST_NANOS = 1_000;
    private static final int DECADES = 11;
    private static final int PER_DECADE = 32;

    /** In units of a twentieth of a decade's lower bound: where the widths change, and the widths before that. */
    private static final int TWO = 40;

    private static final int FIVE = 100;
    private static final int TEN = 200;
    private static final int[] WIDTHS = {2, 5, 10};

    /** The number of buckets. */
    static final int COUNT = DECADES * PER_DECADE + 2;

    /** The inclusive upper bounds in nanoseconds; the last one is that of no duration. */
    private static final long[] AT_MOST = new long[COUNT];

    static {
        AT_MOST[0] = SHORTEST_NANOS;
        int index = 1;
        long unit = SHORTEST_NANOS / (TEN / 10);
        for (int decade = 0; decade < DECADES; decade++, unit *= 10) {
            for (int at = TEN / 10; at < TEN; ) {
                at += at < TWO ? WIDTHS[0] : at < FIVE ? WIDTHS[1] : WIDTHS[2];
                AT_MOST[index++] = at * unit;
            }
        }
        AT_MOST[index] = Long.MAX_VALUE;
    }

    private DurationBuckets() {}

    /** The bucket of a duration, which is not negative. */
    static int of(long nanos) {
        long below = nanos - 1; // upper bounds are inclusive
        if (below < SHORTEST_NANOS) {
            return 0;
        }
        long unit = SHORTEST_NANOS / (TEN / 10);
        int index = 1;
        while (below >= TEN * unit) {
            unit *= 10;
            index += PER_DECADE;
            if (index == COUNT - 1) {
                return index;
            }
        }
        int at = (int) (below / unit);
        if (at < TWO) {
            return index + (at - TEN / 10) / WIDTHS[0];
        }
        return index + (at < FIVE ? 10 + (at - TWO) / WIDTHS[1] : 22 + (at - FIVE) / WIDTHS[2]);
    }

    /** The exclusive lower bound of a bucket in nanoseconds. */
    static long above(int bucket) {
        return bucket == 0 ? 0 : AT_MOST[bucket - 1];
    }

    /** The inclusive upper bound of a bucket in nanoseconds. */
    static long atMost(int bucket) {
        return AT_MOST[bucket];
    }
}
