package io.broxy.core.internal.pool;

import java.util.concurrent.TimeUnit;

/**
 * How long an idle connection stays usable, given what its peer promised ({@code Keep-Alive: timeout}) and when it closed other
 * connections of the key. The peer started its timer before we did, and a request needs time to reach it, so the result leaves
 * a margin.
 *
 * <p>Threading: stateless.
 */
final class IdleTimes {
    /** Not known. */
    static final long UNKNOWN = -1;

    private static final long MAX_MARGIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Up to this idle time a connection is reused regardless of how long others lived: at worst one attempt fails. */
    static final long ALWAYS_REUSED_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** A connection is safe for a request that must not be retried during the first quarter of its idle time. */
    private static final int RELIABLE_FRACTION = 4;

    private IdleTimes() {}

    /**
     * The usable idle time for a request that can be retried.
     *
     * @param promised the idle time that the peer promised, or {@link #UNKNOWN}
     * @param lived how long another connection of the key was idle when the peer closed it, or {@link #UNKNOWN}
     */
    static long ofRepeatable(long promised, long lived) {
        long byPromise = promised < 0 ? Long.MAX_VALUE : withoutMargin(promised);
        long observed = lived < 0 ? Long.MAX_VALUE : Math.max(ALWAYS_REUSED_NANOS, withoutMargin(lived));
        return Math.min(byPromise, observed);
    }

    private static long withoutMargin(long nanos) {
        return nanos - Math.min(MAX_MARGIN_NANOS, nanos / 2);
    }

    /** As {@link #ofRepeatable}, for a request that must not be retried; 0 if no idle connection is acceptable. */
    static long ofUnrepeatable(long promised, long lived) {
        if (promised < 0) {
            return 0;
        }
        long reliable = (lived < 0 ? promised : Math.min(promised, lived)) / RELIABLE_FRACTION;
        return reliable < ALWAYS_REUSED_NANOS ? 0 : reliable;
    }
}
