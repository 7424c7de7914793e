package io.broxy.jmh;

import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Reports the allocation of Broxy's own threads per operation, as {@code broxy.alloc.norm}, in addition to a benchmark's time.
 * Unlike {@code -prof gc}, it excludes the threads of client and origin. Benchmarks without a {@link Rig} have no such line.
 *
 * <p>The rig records the figure, since its threads have ended when JMH calls a profiler after the last iteration. JMH's
 * auxiliary counters are not suitable: they are summed over the iterations.
 *
 * <p>Threading: the rig's and JMH's threads take turns.
 */
public final class BroxyAllocation implements InternalProfiler {
    private static final Object LOCK = new Object();

    // Guarded by LOCK; static, because JMH creates profilers and states without references to each other.
    private static long bytes;
    private static long operations;

    /** Records the figures of the last iteration. */
    static void measured(long itsBytes, long itsOperations) {
        synchronized (LOCK) {
            bytes = itsBytes;
            operations = itsOperations;
        }
    }

    @Override
    public String getDescription() {
        return "Bytes that Broxy's own threads allocate for an operation";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        measured(0, 0);
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        synchronized (LOCK) {
            return operations == 0
                    ? List.of()
                    : List.of(new ScalarResult(
                            "broxy.alloc.norm", (double) bytes / operations, "B/op", AggregationPolicy.AVG));
        }
    }
}
