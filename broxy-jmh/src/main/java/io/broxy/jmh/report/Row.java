package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One benchmark with one choice of parameters.
 *
 * <p>Threading: immutable.
 *
 * @param name the row of the matrix, such as {@code CopyConn 1 KiB}
 * @param implementation who was measured: {@code broxy} or a peer
 * @param phase {@code unpooled}, {@code pooled} or {@code pooled+warm}, or empty where it has no meaning
 * @param bytesPerOperation payload that an operation moves, or 0
 * @param nanos time of an operation; the interval is the mean's 99.9 % confidence interval
 * @param allocated bytes that an operation allocates, on all threads of the JVM, client and origin included
 * @param broxyAllocated what Broxy's own threads do of that, or null if it was not counted
 * @param samples the iterations' times of an operation, all forks, in nanoseconds
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

    /** What makes it the same row in another file. */
    @JsonIgnore
    public String key() {
        return name + ", " + implementation + (phase.isEmpty() ? "" : ", " + phase);
    }

    /** Millions of payload bytes a second; 0 if none are moved. */
    @JsonIgnore
    public double megabytesPerSecond() {
        return bytesPerOperation * 1e3 / nanos.value();
    }

    @JsonIgnore
    public boolean isBroxy() {
        return implementation.equals(BROXY);
    }
}
