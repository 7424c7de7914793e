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
import java.net.SocketAddress;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An upstream proxy with an engine of its own before an echo and a discard server, a dialer that goes through it, with a pool
 * of spares or without one, and a proxy that dials by it.
 *
 * <p>{@code phase=pooled+warm} takes a connection that stands ready, and measures what a caller waits for, not what a dial
 * costs: all spares are made off the clock, 256 at a time. In an application the loops make them meanwhile, so that the
 * processors do no less for each dial than with {@code pooled}. On the loopback a connect is cheap, too; elsewhere it is a
 * round trip, which is what spares are for.
 *
 * <p>Threading: for one thread.
 */
@State(Scope.Benchmark)
public class UpstreamRig {
    /** So many that the wait for new ones, with its cold caches, comes seldom. */
    private static final int SPARES = 256;

    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** Whether a dial finds a connection to the proxy that stands already. */
    @Param({"pooled", "pooled+warm"})
    public String phase = "pooled";

    private final LoopbackServer discard;
    private final LoopbackServer echo;
    private final Broxy upstreams;
    private final Broxy broxy;
    private final ProxyServer upstream;
    private final ConnPool pool;

    private boolean warm;
    private long dials;
    private HttpProxyDialer dialer;
    private @Nullable ProxyServer front;

    /** Starts everything; JMH's states are made by constructors that throw nothing checked. */
    public UpstreamRig() {
        try {
            discard = LoopbackServer.discard();
            echo = LoopbackServer.echo();
            upstreams = Broxy.create();
            upstream = upstreams.listen(
                    ANY_PORT,
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
    public void choose() throws IOException {
        warm = phase.equals("pooled+warm");
        if (warm) {
            dialer = through(upstream).pool(pool).build();
        }
        front = broxy.listen(
                ANY_PORT,
                broxy.proxyHandler()
                        .dialer(dialer)
                        .addressPolicy(AddressPolicy.any())
                        .build());
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

    LoopbackServer echo() {
        return echo;
    }

    HostPort discardTarget() {
        return HostPort.of("127.0.0.1", discard.port());
    }

    /** Where the proxy listens that goes through the other. */
    SocketAddress front() {
        return Objects.requireNonNull(front, "the proxy has not been started").localAddress();
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
        echo.close();
        if (reused != dials) {
            throw new IllegalStateException("of " + dials + " dials with a warm pool " + reused + " took a spare");
        }
    }
}
