package io.broxy.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code TunnelBulk}, which is not a row of the seed: 4 MiB from the origin to the client through an open tunnel.
 *
 * <p>Threading: each thread is a client with its own tunnel.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class TunnelBulkBenchmark {
    /** The payload of an operation. */
    public static final int BYTES = LoopbackServer.SOURCE_BYTES;

    private final RawClient client;
    private final ByteBuffer ask = RawClient.ascii("?");

    /** Opens the client; constructors of JMH states must not throw checked exceptions. */
    public TunnelBulkBenchmark() {
        try {
            client = new RawClient();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Setup
    public void prepare(Rig rig) throws IOException {
        client.connect(rig.proxy());
        client.send(RawClient.connectHead(rig.source().authority()));
        client.readHead();
    }

    @TearDown
    public void close() throws IOException {
        client.close();
    }

    /** One operation. */
    @Benchmark
    public void down(Rig rig) throws IOException {
        client.send(ask);
        client.skip(LoopbackServer.SOURCE_BYTES);
        rig.operationDone();
    }
}
