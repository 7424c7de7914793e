package io.broxy.jmh;

import io.broxy.AddressPolicy;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An upstream proxy with its own engine, in front of an echo and a discard server.
 *
 * <p>Threading: for one thread.
 */
@State(Scope.Benchmark)
public class UpstreamRig {
    static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final LoopbackServer discard;
    private final LoopbackServer echo;
    private final Broxy upstreams;
    private final Broxy broxy;
    private final HostPort upstream;

    /** Starts everything; constructors of JMH states must not throw checked exceptions. */
    public UpstreamRig() {
        try {
            discard = LoopbackServer.discard();
            echo = LoopbackServer.echo();
            upstreams = Broxy.create();
            ProxyServer server = upstreams.listen(
                    ANY_PORT,
                    upstreams.proxyHandler().addressPolicy(AddressPolicy.any()).build());
            upstream = HostPort.of("127.0.0.1", ((InetSocketAddress) server.localAddress()).getPort());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        broxy = Broxy.create();
    }

    /** The engine that dials. */
    Broxy broxy() {
        return broxy;
    }

    /** A dialer through the upstream proxy. */
    HttpProxyDialer.Builder through() {
        return broxy.httpProxyDialer(upstream);
    }

    LoopbackServer echo() {
        return echo;
    }

    HostPort discardTarget() {
        return HostPort.of("127.0.0.1", discard.port());
    }

    /** Stops everything. */
    @TearDown(Level.Trial)
    public void close() throws IOException {
        broxy.close();
        upstreams.close();
        discard.close();
        echo.close();
    }
}
