package io.broxy.jmh;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code Dial_HTTPProxy}: dial a discard server through an HTTP proxy on the loopback, a Broxy with a separate engine, and
 * close. {@code phase=pooled} connects to the proxy for each dial, {@code phase=pooled+warm} uses a spare connection; {@link
 * DialingRig} explains what that measures.
 *
 * <p>Threading: one thread dials.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class DialHttpProxyBenchmark {

    /** One operation. */
    @Benchmark
    public void httpProxy(DialingRig rig) throws IOException {
        rig.dialer().dial(rig.discardTarget()).close();
    }
}
