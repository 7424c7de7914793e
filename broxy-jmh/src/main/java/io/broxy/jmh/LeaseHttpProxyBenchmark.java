package io.broxy.jmh;

import io.broxy.ConnPool;
import io.broxy.DialException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code Lease_HTTPProxy}: lease a tunnel to a discard server that a pool has opened in advance through an HTTP proxy on the
 * loopback, and close it. It corresponds to {@code Dial_HTTPProxy}, but for a caller that knows the target in advance and lets
 * a pool keep tunnels to it; in {@code Dial_HTTPProxy} a warm pool keeps connections to the proxy, for any target.
 *
 * <p>Threading: one thread leases.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class LeaseHttpProxyBenchmark {
    private @Nullable Tunnels tunnels;

    /** The tunnels to one target. */
    private record Tunnels(Spares spares, ConnPool.Key hop) {}

    @Setup
    public void prepare(UpstreamRig rig) {
        tunnels = new Tunnels(
                new Spares(rig.broxy()),
                ConnPool.Key.of(rig.discardTarget(), rig.through().build()));
    }

    private Tunnels tunnels() {
        return Objects.requireNonNull(tunnels);
    }

    /** Not part of the measured time. */
    @Setup(Level.Invocation)
    public void refill() {
        tunnels().spares().ready(tunnels().hop());
    }

    /** One operation. */
    @Benchmark
    public void httpProxy() throws DialException {
        tunnels().spares().pool().lease(tunnels().hop()).close();
    }

    /** Fails if a lease did not use a spare. */
    @TearDown
    public void check() {
        tunnels().spares().check();
    }
}
