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
 * {@code HandleConnect_HTTPProxy}: as {@code HandleConnect_Direct}, but the proxy reaches the echo server through another HTTP
 * proxy on the loopback, a Broxy with a separate engine. {@code phase=pooled} connects to it for each tunnel, {@code
 * phase=pooled+warm} uses a spare connection; {@link DialingRig} explains what that measures.
 *
 * <p>Threading: one thread.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class HandleConnectHttpProxyBenchmark {
    private @Nullable Exchange exchange;

    @Setup
    public void prepare(DialingRig rig) throws IOException {
        exchange = new Exchange(rig.echo().authority());
    }

    /** One operation. */
    @Benchmark
    public void httpProxy(DialingRig rig) throws IOException {
        Objects.requireNonNull(exchange).run(rig.front());
    }
}
