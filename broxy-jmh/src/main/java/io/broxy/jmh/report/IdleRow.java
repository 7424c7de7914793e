package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jspecify.annotations.Nullable;

/**
 * What tunnels cost on which nothing moves.
 *
 * <p>Threading: immutable.
 *
 * @param proxy who was measured
 * @param rssKib growth of the process's resident memory for a tunnel
 * @param heapKib growth of the live heap for a tunnel, or null for what is no JVM
 * @param cpuMillisPerSecond processor time while they stand
 */
public record IdleRow(String proxy, Figure rssKib, @Nullable Figure heapKib, Figure cpuMillisPerSecond) {

    /** What makes it the same row in another file. */
    @JsonIgnore
    public String key() {
        return "idle, " + proxy;
    }
}
