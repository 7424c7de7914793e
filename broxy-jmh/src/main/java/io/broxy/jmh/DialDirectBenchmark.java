package io.broxy.jmh;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
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
 * {@code Dial_Direct}: dial a discard server on the loopback, close. {@code implementation=jdk} connects and closes a plain
 * {@code SocketChannel}: the lower bound for dialers on a JVM.
 *
 * <p>Threading: one thread dials.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class DialDirectBenchmark {
    /** The measured implementation. */
    @Param({"broxy", "jdk"})
    private String implementation = "broxy";

    private final LoopbackServer discard;
    private final Broxy broxy = Broxy.create();
    private final Dialer dialer = broxy.directDialer().build();
    private boolean plain;

    /** Starts everything; constructors of JMH states must not throw checked exceptions. */
    public DialDirectBenchmark() {
        try {
            discard = LoopbackServer.discard();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Setup
    public void choose() {
        plain = implementation.equals("jdk");
    }

    @TearDown
    public void close() throws IOException {
        broxy.close();
        discard.close();
    }

    /** One operation. */
    @Benchmark
    public void direct() throws IOException {
        if (plain) {
            SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), discard.port()))
                    .close();
        } else {
            dialer.dial(HostPort.of("127.0.0.1", discard.port())).close();
        }
    }
}
