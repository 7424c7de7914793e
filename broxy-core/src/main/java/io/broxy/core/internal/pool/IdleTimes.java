package io.broxy.core.internal.pool;

import java.util.concurrent.TimeUnit;

/**
 * For how long an idle connection is of use, by what its peer has promised ({@code Keep-Alive: timeout}) and by how it has
 * treated others of the key. The peer's clock began to run before ours, and what is sent takes its time to get there; so a
 * margin is left.
 *
 * <p>Threading: stateless.
 */
final class IdleTimes {
    /** Nothing is known. */
    static final long UNKNOWN = -1;

    private static final long MAX_MARGIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** A connection that is used again sooner than that is used again, whatever happened to others: one try is lost at most. */
    static final long ALWAYS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** How far below the end of the idle time a connection must be that what cannot be repeated goes over: at a quarter of it. */
    private static final int FAR_BELOW = 4;

    private IdleTimes() {}

    /**
     * For a request that can be sent once more.
     *
     * @param promised by the peer, or {@link #UNKNOWN}
     * @param lived how long another connection of the key was idle when the peer closed it, or {@link #UNKNOWN}
     */
    static long ofRepeatable(long promised, long lived) {
        long byPromise = promised < 0 ? Long.MAX_VALUE : withoutMargin(promised);
        long byExperience = lived < 0 ? Long.MAX_VALUE : Math.max(ALWAYS_NANOS, withoutMargin(lived));
        return Math.min(byPromise, byExperience);
    }

    private static long withoutMargin(long nanos) {
        return nanos - Math.min(MAX_MARGIN_NANOS, nanos / 2);
    }

    /** For one that cannot, as {@link #ofRepeatable}; 0 if no idle connection will do. */
    static long ofUnrepeatable(long promised, long lived) {
        if (promised < 0) {
            return 0;
        }
        long farBelow = (lived < 0 ? promised : Math.min(promised, lived)) / FAR_BELOW;
        return farBelow < ALWAYS_NANOS ? 0 : farBelow;
    }
}
