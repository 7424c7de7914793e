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
 * Tells beside a benchmark's time what Broxy's own threads allocated for one operation, as {@code broxy.alloc.norm}. The
 * client's and the origin's threads do not count, which {@code -prof gc} counts, too. Benchmarks without a {@link Rig} have
 * no such line.
 *
 * <p>The rig takes the figure, for its threads have ended by the time that JMH asks a profiler after the last iteration.
 * JMH's auxiliary counters would not do: they are added up over the iterations.
 *
 * <p>Threading: the rig's and JMH's threads take turns.
 */
public final class BroxyAllocation implements InternalProfiler {
    private static final Object LOCK = new Object();

    // Guarded by LOCK; static, for JMH makes profilers and states without telling them of each other.
    private static long bytes;
    private static long operations;

    /** What the last iteration has cost. */
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
