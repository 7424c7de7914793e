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
 * A dialer through the upstream proxy, with or without a pool of spare connections to it, and a proxy that uses the dialer.
 *
 * <p>{@code phase=pooled+warm} uses a spare connection, and measures the time that a caller waits rather than the cost of a
 * dial: all {@link Spares} are opened outside the measured time, 256 at a time. In an application the loops open them in the
 * background, so each dial costs as much processor time as with {@code pooled}. Besides, connecting is cheap on the loopback;
 * elsewhere it takes a round trip, which spares avoid.
 *
 * <p>Threading: for one thread.
 */
@State(Scope.Benchmark)
public class DialingRig extends UpstreamRig {

    /** Whether a dial finds a spare connection to the proxy. */
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

    /** Not part of the measured time. */
    @Setup(Level.Invocation)
    public void refill() {
        if (spares != null) {
            spares.ready(dialer().key());
        }
    }

    HttpProxyDialer dialer() {
        return Objects.requireNonNull(dialer, "the phase has not been chosen");
    }

    /** The address of the proxy that uses the upstream proxy. */
    SocketAddress front() {
        return Objects.requireNonNull(front, "the proxy has not been started").localAddress();
    }

    /** Fails if a dial did not use a spare. */
    @TearDown(Level.Trial)
    public void check() {
        if (spares != null) {
            spares.check();
        }
    }
}
