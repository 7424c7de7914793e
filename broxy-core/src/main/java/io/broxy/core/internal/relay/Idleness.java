package io.broxy.core.internal.relay;

/**
 * The idle timeouts of a tunnel.
 *
 * @param idleNanos the maximum time without a byte while both streams are open
 * @param halfCloseNanos the maximum time without a byte after one stream has ended
 * @param stallNanos the maximum time that bytes wait for a side that accepts none
 * <p>Threading: immutable.
 */
public record Idleness(long idleNanos, long halfCloseNanos, long stallNanos) {

    /** The maximum time without a byte. */
    long limitNanos(boolean halfClosed) {
        return halfClosed ? Math.min(idleNanos, halfCloseNanos) : idleNanos;
    }
}
