package io.broxy.core.internal.relay;

/**
 * How long a tunnel may pass no bytes.
 *
 * @param idleNanos without a byte while both streams are open
 * @param halfCloseNanos without a byte once one has ended
 * @param stallNanos while bytes wait for a side that takes none
 * <p>Threading: immutable.
 */
public record Idleness(long idleNanos, long halfCloseNanos, long stallNanos) {

    /** The limit on the time without a byte. */
    long limitNanos(boolean halfClosed) {
        return halfClosed ? Math.min(idleNanos, halfCloseNanos) : idleNanos;
    }
}
