package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jspecify.annotations.Nullable;

/**
 * The cost of idle tunnels.
 *
 * <p>Threading: immutable.
 *
 * @param proxy the measured proxy
 * @param rssKib growth of the process's resident memory per tunnel
 * @param heapKib growth of the live heap per tunnel, or null if the proxy does not run on a JVM
 * @param cpuMillisPerSecond processor time while the tunnels are idle
 */
public record IdleRow(String proxy, Figure rssKib, @Nullable Figure heapKib, Figure cpuMillisPerSecond) {

    /** Identifies the row across files. */
    @JsonIgnore
    public String key() {
        return "idle, " + proxy;
    }
}
