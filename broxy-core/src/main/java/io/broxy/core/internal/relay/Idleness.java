package io.broxy.core.internal.relay;

/**
 * How long a tunnel may stand without a byte.
 *
 * @param idleNanos while both streams are open
 * @param halfCloseNanos once one has ended
 * <p>Threading: immutable.
 */
public record Idleness(long idleNanos, long halfCloseNanos) {

    /** The limit that counts. */
    long limitNanos(boolean halfClosed) {
        return halfClosed ? Math.min(idleNanos, halfCloseNanos) : idleNanos;
    }
}
