package io.broxy.jmh;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code Dial_Direct}: dial a discard server on the loopback, close. {@code Dial_HTTPProxy}: dial it through an HTTP proxy on
 * the loopback, which is Broxy on another engine, close.
 *
 * <p>{@code spares=none} connects to the proxy for each dial. {@code spares=warm} takes a connection that stands ready, and
 * measures what a caller waits for, not what a dial costs: all spares are made off the clock, 256 at a time. In an
 * application the loops make them meanwhile, so that the processors do no less for each dial than with {@code none}. On the
 * loopback a connect is cheap, too; elsewhere it is a round trip, which is what spares are for.
 *
 * <p>Threading: one thread dials.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class DialBenchmark {

    /** A discard server and a dialer. Threading: for one thread. */
    @State(Scope.Benchmark)
    public static class Direct {
        private final LoopbackServer discard;
        private final Broxy broxy = Broxy.create();
        private final Dialer dialer = broxy.directDialer().build();

        /** Starts both; JMH's states are made by constructors that throw nothing checked. */
        public Direct() {
            try {
                discard = LoopbackServer.discard();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @TearDown(Level.Trial)
        public void close() throws IOException {
            broxy.close();
            discard.close();
        }
    }

    /** One operation of {@code Dial_Direct}. */
    @Benchmark
    public void direct(Direct rig) throws IOException {
        rig.dialer.dial(HostPort.of("127.0.0.1", rig.discard.port())).close();
    }

    /** One operation of {@code Dial_HTTPProxy}. */
    @Benchmark
    public void httpProxy(DialRig rig) throws IOException {
        rig.dialer().dial(rig.target()).close();
    }
}
