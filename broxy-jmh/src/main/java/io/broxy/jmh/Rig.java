package io.broxy.jmh;

import io.broxy.jmh.peer.Peer;
import io.broxy.jmh.peer.PeerProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * One proxy and the servers behind it, for the duration of a benchmark. If the proxy is Broxy, the rig counts the allocation of
 * its threads.
 *
 * <p>Threading: shared by all threads of a benchmark.
 */
@State(Scope.Benchmark)
public class Rig {
    /** The name of the proxy's {@link Peer}. */
    @Param({"broxy", "netty-nio", "netty-epoll", "jetty", "littleproxy", "vertx", "blocking", "vthread"})
    public String implementation = "broxy";

    private final LongAdder operations = new LongAdder();
    private Map<Long, Long> bytesBefore = Map.of();

    private final LoopbackServer echo;
    private final LoopbackServer http;
    private final LoopbackServer source;
    private @Nullable PeerProxy proxy;

    /** Starts the servers; constructors of JMH states must not throw checked exceptions. */
    public Rig() {
        try {
            echo = LoopbackServer.echo();
            http = LoopbackServer.http();
            source = LoopbackServer.source();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Setup(Level.Trial)
    public void start() throws Exception {
        proxy = Peer.named(implementation).start(0);
    }

    SocketAddress proxy() {
        int port =
                Objects.requireNonNull(proxy, "the proxy has not been started").port();
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    LoopbackServer echo() {
        return echo;
    }

    LoopbackServer http() {
        return http;
    }

    LoopbackServer source() {
        return source;
    }

    /** Must be called once per operation. */
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
        if (Peer.named(implementation) == Peer.BROXY) {
            BroxyAllocation.measured(EngineThreads.allocatedBytesSince(bytesBefore), operations.sum());
        }
    }

    @TearDown(Level.Trial)
    public void close() throws Exception {
        if (proxy != null) {
            proxy.close();
        }
        echo.close();
        http.close();
        source.close();
    }
}
