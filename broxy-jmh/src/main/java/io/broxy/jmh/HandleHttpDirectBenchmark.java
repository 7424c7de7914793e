package io.broxy.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Locale;
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
 * {@code HandleHTTP_Direct}: GET through the proxy over a persistent connection, with a response of two bytes, {@code OK}.
 *
 * <p>Threading: each thread is a client with its own connection.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class HandleHttpDirectBenchmark {
    private final RawClient client;
    private final ByteBuffer body = RawClient.ascii("OK");
    private ByteBuffer get = ByteBuffer.allocate(0);

    /** Opens the client; constructors of JMH states must not throw checked exceptions. */
    public HandleHttpDirectBenchmark() {
        try {
            client = new RawClient();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Connects, and fails if the proxy does not forward plain HTTP or frames the response differently. */
    @Setup
    public void prepare(Rig rig) throws IOException {
        String origin = rig.http().authority();
        get = RawClient.ascii("GET http://" + origin + "/ HTTP/1.1\r\nHost: " + origin + "\r\n\r\n");
        client.connect(rig.proxy());
        client.send(get);
        String head = client.lastHead(client.readHead()).toLowerCase(Locale.ROOT);
        if (!head.matches("(?s).*\r\ncontent-length: *2\r\n.*") || head.contains("\r\nconnection: close")) {
            throw new IOException("the proxy sent a head that this client does not support: " + head);
        }
        client.expect(body);
    }

    @TearDown
    public void close() throws IOException {
        client.close();
    }

    /** One operation. */
    @Benchmark
    public void get(Rig rig) throws IOException {
        client.send(get);
        client.readHead();
        client.expect(body);
        rig.operationDone();
    }
}
