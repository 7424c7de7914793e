package io.broxy.jmh;

import io.broxy.AddressPolicy;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A proxy and an echo server behind it, for as long as a benchmark runs, with an account of what the proxy allocates.
 *
 * <p>Threading: shared by all threads of a benchmark.
 */
@State(Scope.Benchmark)
public class Rig {
    private final LongAdder operations = new LongAdder();
    private Map<Long, Long> bytesBefore = Map.of();

    private final LoopbackServer echo;
    private final Broxy broxy;
    private final ProxyServer server;

    /** Starts both; JMH's states are made by constructors that throw nothing checked. */
    public Rig() {
        try {
            echo = LoopbackServer.echo();
            broxy = Broxy.create();
            server = broxy.listen(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    broxy.proxyHandler().addressPolicy(AddressPolicy.any()).build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    SocketAddress proxy() {
        return server.localAddress();
    }

    /** The echo server as a request target. */
    String target() {
        return "127.0.0.1:" + echo.port();
    }

    /** To be called once for each operation. */
    void operationDone() {
        operations.increment();
    }

    @Setup(Level.Iteration)
    public void beginIteration() {
        operations.reset();
        bytesBefore = EngineThreads.allocatedBytes();
    }

    @TearDown(Level.Iteration)
    public void endIteration() {
        BroxyAllocation.measured(EngineThreads.allocatedBytesSince(bytesBefore), operations.sum());
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        broxy.close();
        echo.close();
    }
}
