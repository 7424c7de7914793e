package io.broxy.examples;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of a mini-server, put together as its options say, and running.
 *
 * <p>Threading: thread-safe.
 */
final class RunningServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RunningServer.class);

    private final Broxy broxy;
    private final Ways ways;
    private final ProxyHandler handler;
    private final ProxyServer server;

    private RunningServer(Broxy broxy, Ways ways, ProxyHandler handler, ProxyServer server) {
        this.broxy = broxy;
        this.ways = ways;
        this.handler = handler;
        this.server = server;
    }

    /**
     * Starts to listen.
     *
     * @throws IOException if the address cannot be listened on, or the file of rules cannot be used; nothing runs then
     */
    static RunningServer start(ServerOptions options) throws IOException {
        Broxy broxy = engine(options);
        try {
            Ways ways = Ways.open(broxy, options);
            try {
                ProxyHandler handler = handler(broxy, ways.dialer(), options);
                return new RunningServer(
                        broxy, ways, handler, broxy.listen(ways.listen().resolve(), handler));
            } catch (IOException | RuntimeException e) {
                ways.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            broxy.close();
            throw e;
        }
    }

    private static Broxy engine(ServerOptions options) {
        Broxy.Builder builder = Broxy.builder();
        Integer eventLoops = options.eventLoops();
        if (eventLoops != null) {
            builder.eventLoops(eventLoops);
        }
        return builder.build();
    }

    private static ProxyHandler handler(Broxy broxy, Dialer dialer, ServerOptions options) {
        return broxy.proxyHandler()
                .dialer(dialer)
                .addressPolicy(Destinations.policy(options))
                .headTimeout(options.headTimeout())
                .dialTimeout(options.dialTimeout())
                .idleTimeout(options.idleTimeout())
                .maxTunnels(options.maxTunnels())
                .build();
    }

    /** Where it listens, as {@code HOST:PORT} with the port that was taken. */
    String address() {
        InetSocketAddress address = (InetSocketAddress) server.localAddress();
        return HostPort.of(address.getAddress().getHostAddress(), address.getPort())
                .toString();
    }

    /** Stops to accept, which frees the port, and lets running tunnels end for a while. */
    void drain(Duration grace) throws InterruptedException {
        server.close();
        if (!handler.drain(grace)) {
            log.warn("tunnels that still ran after {} were reset", grace);
        }
    }

    @Override
    public void close() {
        ways.close();
        broxy.close();
    }
}
