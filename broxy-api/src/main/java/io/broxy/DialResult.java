package io.broxy;

import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a connection was dialed for a client's request.
 *
 * <p>Threading: immutable.
 *
 * @param peer the address that the connection leads to, which is the target's or that of a proxy; null if it has none
 * @param start when the dial began, by the system clock
 * @param duration from the start until the connection was open, handshakes with proxies included
 */
public record DialResult(@Nullable SocketAddress peer, Instant start, Duration duration) {

    /** Checks for null. */
    public DialResult {
        Objects.requireNonNull(start, "start");
        Objects.requireNonNull(duration, "duration");
    }
}
