package io.broxy.jmh;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code HandleConnect_Direct}: connect to the proxy, CONNECT to an echo server, read the 200, write 15,360 bytes, read them
 * back, close.
 *
 * <p>Threading: each thread is a client with its own buffers.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class HandleConnectDirectBenchmark {
    /** The payload of an operation in both directions. */
    public static final int BYTES = 30_720;

    private @Nullable Exchange exchange;

    @Setup
    public void prepare(Rig rig) throws IOException {
        exchange = new Exchange(rig.echo().authority());
    }

    /** One operation. */
    @Benchmark
    public void direct(Rig rig) throws IOException {
        Objects.requireNonNull(exchange).run(rig.proxy());
        rig.operationDone();
    }
}
