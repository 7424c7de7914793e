package io.broxy.core.internal.observe;

import java.time.Instant;

/**
 * The hand-over of a client's connection, from which its times are counted.
 *
 * <p>Threading: immutable.
 *
 * @param number of the connection within its handler
 * @param millis when it was, by the system clock
 * @param nanos when it was, by the clock of the engine
 */
public record HandOver(long number, long millis, long nanos) {

    /** When it was, by the system clock. */
    public Instant start() {
        return Instant.ofEpochMilli(millis);
    }

    /** A time of the engine's clock, by the system clock as it was at the hand-over. */
    Instant at(long engineNanos) {
        return start().plusNanos(engineNanos - nanos);
    }
}
