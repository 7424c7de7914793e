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
 * {@code Lease_HTTPProxy}: lease a tunnel to a discard server that a pool has made ready through an HTTP proxy on the loopback,
 * and close it. It is what {@code Dial_HTTPProxy} does, for a caller who knows the target before and has a pool keep tunnels
 * to it; there a warm pool keeps connections to the proxy, for any target.
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

    /** Tunnels of one target. */
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

    /** Off the clock. */
    @Setup(Level.Invocation)
    public void refill() {
        tunnels().spares().ready(tunnels().hop());
    }

    /** One operation. */
    @Benchmark
    public void httpProxy() throws DialException {
        tunnels().spares().pool().lease(tunnels().hop()).close();
    }

    /** Fails if a lease did not do what is measured. */
    @TearDown
    public void check() {
        tunnels().spares().check();
    }
}
