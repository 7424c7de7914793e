package io.broxy.jmh;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@code HandleConnect_Direct}: connect to the proxy, CONNECT to an echo server, read the 200, write 15,360 bytes, read them
 * back, close.
 *
 * <p>Threading: each thread is a client with buffers of its own.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class HandleConnectBenchmark {
    private static final byte[] PAYLOAD = "benchmark data ".repeat(1_024).getBytes(US_ASCII);
    private static final byte[] ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n".getBytes(US_ASCII);

    private final ByteBuffer payload =
            ByteBuffer.allocateDirect(PAYLOAD.length).put(PAYLOAD).flip();
    private final ByteBuffer answer = ByteBuffer.allocateDirect(ESTABLISHED.length + PAYLOAD.length);
    private final byte[] got = new byte[PAYLOAD.length];
    private ByteBuffer head = ByteBuffer.allocate(0);

    @Setup
    public void prepare(Rig rig) {
        byte[] text =
                ("CONNECT " + rig.target() + " HTTP/1.1\r\nHost: " + rig.target() + "\r\n\r\n").getBytes(US_ASCII);
        head = ByteBuffer.allocateDirect(text.length).put(text).flip();
    }

    /** One operation. */
    @Benchmark
    public byte[] direct(Rig rig) throws IOException {
        try (SocketChannel client = SocketChannel.open(rig.proxy())) {
            client.write(head.rewind());
            expect(client, ESTABLISHED);
            client.write(payload.rewind());
            expect(client, PAYLOAD);
        }
        rig.operationDone();
        return got;
    }

    /** Reads as many bytes as are expected, and compares them. */
    private void expect(SocketChannel client, byte[] expected) throws IOException {
        answer.clear().limit(expected.length);
        while (answer.hasRemaining()) {
            if (client.read(answer) < 0) {
                throw new EOFException("the proxy has ended after " + answer.position() + " bytes");
            }
        }
        answer.flip().get(got, 0, expected.length);
        if (!Arrays.equals(got, 0, expected.length, expected, 0, expected.length)) {
            throw new IOException("the proxy answered " + new String(got, 0, expected.length, US_ASCII));
        }
    }
}
