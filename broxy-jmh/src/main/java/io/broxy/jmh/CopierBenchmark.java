package io.broxy.jmh;

import io.broxy.core.Broxy;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code Copier.copy} in memory. One operation makes a source over an array of that size and an empty sink that grows as
 * it is written to, and copies one to the other; so the sink's arrays are part of what is measured.
 *
 * <p>Threading: any number of threads, which share the copier.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class CopierBenchmark {
    /** How many bytes are copied: 1 KiB, 32 KiB, 256 KiB, 1 MiB. */
    @Param({"1024", "32768", "262144", "1048576"})
    private int size;

    private final Broxy broxy = Broxy.create();
    private byte[] bytes = {};

    @Setup
    public void fill() {
        bytes = new byte[size];
        new Random(size).nextBytes(bytes);
    }

    @TearDown
    public void close() {
        broxy.close();
    }

    @Benchmark
    public GrowingSink copy() throws IOException {
        GrowingSink sink = new GrowingSink();
        broxy.copier().copy(new ArraySource(bytes), sink);
        return sink;
    }
}
