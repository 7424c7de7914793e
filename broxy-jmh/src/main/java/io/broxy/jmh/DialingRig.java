package io.broxy.jmh;

import io.broxy.AddressPolicy;
import io.broxy.HttpProxyDialer;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A dialer that goes through the upstream proxy, with a pool of spare connections to it or without one, and a proxy that dials
 * by it.
 *
 * <p>{@code phase=pooled+warm} takes a connection that stands ready, and measures what a caller waits for, not what a dial
 * costs: all {@link Spares} are made off the clock, 256 at a time. In an application the loops make them meanwhile, so that the
 * processors do no less for each dial than with {@code pooled}. On the loopback a connect is cheap, too; elsewhere it is a
 * round trip, which is what spares are for.
 *
 * <p>Threading: for one thread.
 */
@State(Scope.Benchmark)
public class DialingRig extends UpstreamRig {

    /** Whether a dial finds a connection to the proxy that stands already. */
    @Param({"pooled", "pooled+warm"})
    public String phase = "pooled";

    private @Nullable Spares spares;
    private @Nullable HttpProxyDialer dialer;
    private @Nullable ProxyServer front;

    @Setup(Level.Trial)
    public void choose() throws IOException {
        if (phase.equals("pooled+warm")) {
            spares = new Spares(broxy());
        }
        dialer = (spares == null ? through() : through().pool(spares.pool())).build();
        front = broxy().listen(
                        ANY_PORT,
                        broxy().proxyHandler()
                                .dialer(dialer)
                                .addressPolicy(AddressPolicy.any())
                                .build());
    }

    /** Off the clock. */
    @Setup(Level.Invocation)
    public void refill() {
        if (spares != null) {
            spares.ready(dialer().key());
        }
    }

    HttpProxyDialer dialer() {
        return Objects.requireNonNull(dialer, "the phase has not been chosen");
    }

    /** Where the proxy listens that goes through the other. */
    SocketAddress front() {
        return Objects.requireNonNull(front, "the proxy has not been started").localAddress();
    }

    /** Fails if a dial did not do what is measured. */
    @TearDown(Level.Trial)
    public void check() {
        if (spares != null) {
            spares.check();
        }
    }
}
