package io.broxy.core.internal.pool;

/**
 * What a connection's peer has promised with its last response.
 *
 * <p>Threading: for the holder of the connection's place while it is leased; the pool's lock guards it while it is idle.
 */
final class Promise {
    private static final int NO_MAX = -1;

    private long idleNanos = IdleTimes.UNKNOWN;
    private int answers;
    private int max = NO_MAX;
    private int left = Integer.MAX_VALUE;

    /** For how long the peer keeps the idle connection, or {@link IdleTimes#UNKNOWN}. */
    long idleNanos() {
        return idleNanos;
    }

    /** Whether the connection may be used again. */
    boolean allowsMore() {
        return left > 0 && idleNanos != 0;
    }

    /**
     * The peer has answered a request.
     *
     * @param promisedNanos for how long it keeps the connection, or negative if it does not say that
     * @param said how many requests the connection takes, or negative. Some servers always name all that it ever takes, others
     *     count down to those that are left: a number below the one before is of those, any other of all
     */
    void answered(long promisedNanos, int said) {
        answers++;
        idleNanos = promisedNanos < 0 ? IdleTimes.UNKNOWN : promisedNanos;
        if (said < 0) {
            left = Integer.MAX_VALUE;
        } else {
            left = said < max ? said : said - answers;
        }
        max = said < 0 ? NO_MAX : said;
    }

    /** The connection was used, and what the peer answered is not known. */
    void forget() {
        idleNanos = IdleTimes.UNKNOWN;
        max = NO_MAX;
        left = Integer.MAX_VALUE;
    }
}
