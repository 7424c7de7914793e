package io.broxy.jmh;

import io.broxy.core.Broxy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
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
 * {@code CopyConn}: one operation creates a source over an array and an initially empty, growing sink, and copies from one to
 * the other; the measurement thus includes the sink's arrays. {@code phase=pooled} is {@code Copier.copy}, {@code
 * phase=unpooled} a loop with a new buffer of 32 KiB, like code without a pool.
 *
 * <p>Threading: any number of threads, which share the copier.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class CopyConnBenchmark {
    private static final int NEW_BUFFER_BYTES = 32 << 10;

    /** The number of copied bytes: 1 KiB, 32 KiB, 256 KiB, 1 MiB. */
    @Param({"1024", "32768", "262144", "1048576"})
    private int size;

    /** The origin of the buffer. */
    @Param({"unpooled", "pooled"})
    private String phase = "pooled";

    private final Broxy broxy = Broxy.create();
    private boolean pooled;
    private byte[] bytes = {};

    @Setup
    public void prepare() {
        pooled = phase.equals("pooled");
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
        ArraySource source = new ArraySource(bytes);
        if (pooled) {
            broxy.copier().copy(source, sink);
        } else {
            copyUnpooled(source, sink);
        }
        return sink;
    }

    private static void copyUnpooled(ReadableByteChannel source, WritableByteChannel sink) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(NEW_BUFFER_BYTES);
        while (source.read(buffer.clear()) >= 0) {
            sink.write(buffer.flip());
        }
    }
}
