package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of one benchmark with one combination of parameters.
 *
 * <p>Threading: immutable.
 *
 * @param name the row of the matrix, such as {@code CopyConn 1 KiB}
 * @param implementation the measured implementation: {@code broxy} or a peer
 * @param phase {@code unpooled}, {@code pooled} or {@code pooled+warm}, or empty if not applicable
 * @param bytesPerOperation payload bytes that an operation transfers, or 0
 * @param nanos time of an operation; the interval is the mean's 99.9 % confidence interval
 * @param allocated bytes that an operation allocates, on all threads of the JVM, client and origin included
 * @param broxyAllocated the part that Broxy's own threads allocate, or null if not counted
 * @param samples the operation times of all iterations of all forks, in nanoseconds
 */
public record Row(
        String name,
        String implementation,
        String phase,
        long bytesPerOperation,
        Figure nanos,
        Figure allocated,
        @Nullable Figure broxyAllocated,
        List<Double> samples) {

    /** The name of Broxy among the implementations. */
    public static final String BROXY = "broxy";

    public Row {
        samples = List.copyOf(samples);
    }

    /** Identifies the row across files. */
    @JsonIgnore
    public String key() {
        return name + ", " + implementation + (phase.isEmpty() ? "" : ", " + phase);
    }

    /** Millions of payload bytes per second; 0 without payload. */
    @JsonIgnore
    public double megabytesPerSecond() {
        return bytesPerOperation * 1e3 / nanos.value();
    }

    @JsonIgnore
    public boolean isBroxy() {
        return implementation.equals(BROXY);
    }
}
