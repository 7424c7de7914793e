package io.broxy.jmh;

import io.broxy.AddressPolicy;
import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An upstream proxy with an engine of its own before a discard server, and a dialer that goes through it, with a pool of
 * spares or without one.
 *
 * <p>Threading: for one thread.
 */
@State(Scope.Benchmark)
public class DialRig {
    /** So many that the wait for new ones, with its cold caches, comes seldom. */
    private static final int SPARES = 256;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** Whether a dial finds a connection to the proxy that stands already. */
    @Param({"none", "warm"})
    public String spares = "none";

    private final LoopbackServer discard;
    private final Broxy upstreams;
    private final Broxy broxy;
    private final ProxyServer upstream;
    private final ConnPool pool;

    private boolean warm;
    private long dials;
    private HttpProxyDialer dialer;

    /** Starts everything; JMH's states are made by constructors that throw nothing checked. */
    public DialRig() {
        try {
            discard = LoopbackServer.discard();
            upstreams = Broxy.create();
            upstream = upstreams.listen(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    upstreams.proxyHandler().addressPolicy(AddressPolicy.any()).build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        broxy = Broxy.create();
        pool = broxy.connPool().maxIdlePerHop(SPARES).maxIdle(SPARES).build();
        dialer = through(upstream).build();
    }

    private HttpProxyDialer.Builder through(ProxyServer proxy) {
        int port = ((InetSocketAddress) proxy.localAddress()).getPort();
        return broxy.httpProxyDialer(HostPort.of("127.0.0.1", port));
    }

    @Setup(Level.Trial)
    public void choose() {
        warm = spares.equals("warm");
        if (warm) {
            dialer = through(upstream).pool(pool).build();
        }
    }

    /**
     * Off the clock: when the last spare has been taken, has the pool make new ones, and then no more of them. So no dial finds
     * the pool empty, and none runs beside the making of spares.
     */
    @Setup(Level.Invocation)
    public void refill() {
        if (!warm) {
            return;
        }
        dials++;
        if (pool.stats().idle() > 0) {
            return;
        }
        pool.warm(dialer.hop(), SPARES);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (pool.stats().idle() < SPARES) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("the pool is not filled: " + pool.stats());
            }
            Thread.onSpinWait();
        }
        pool.warm(dialer.hop(), 0); // what is idle stays so
    }

    HostPort target() {
        return HostPort.of("127.0.0.1", discard.port());
    }

    Dialer dialer() {
        return dialer;
    }

    /** Ends everything, and fails if a dial did not do what is measured. */
    @TearDown(Level.Trial)
    public void close() throws IOException {
        long reused = pool.stats().reused();
        broxy.close();
        upstreams.close();
        discard.close();
        if (reused != dials) {
            throw new IllegalStateException("of " + dials + " dials with a warm pool " + reused + " took a spare");
        }
    }
}
