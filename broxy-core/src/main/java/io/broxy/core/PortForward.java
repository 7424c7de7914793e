package io.broxy.core;

import io.broxy.AddressPolicy;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;

/**
 * A local port that leads to one target; {@link Broxy#forward} opens it.
 *
 * <p>Threading: thread-safe.
 */
public final class PortForward implements AutoCloseable {
    private final HostPort target;
    private final ProxyHandler handler;
    private final ProxyServer server;

    private PortForward(HostPort target, ProxyHandler handler, ProxyServer server) {
        this.target = target;
        this.handler = handler;
        this.server = server;
    }

    static PortForward start(Broxy broxy, SocketAddress address, HostPort target, Dialer dialer) throws IOException {
        ProxyHandler handler = broxy.proxyHandler()
                .dialer(dialer)
                .addressPolicy(AddressPolicy.any())
                .build();
        try {
            return new PortForward(target, handler, broxy.listen(address, handler.tunnelTo(target)));
        } catch (IOException | RuntimeException e) {
            handler.close();
            throw e;
        }
    }

    /** The address that the port listens on, with the actual port if port 0 was given. */
    public SocketAddress localAddress() {
        return server.localAddress();
    }

    /** Where the port leads. */
    public HostPort target() {
        return target;
    }

    /**
     * A snapshot of the counters. Each client is a connection, and a tunnel while its target is dialed and bytes are
     * relayed; {@link ProxyStats#dialFailures()} counts the clients whose target could not be reached.
     */
    public ProxyStats stats() {
        return handler.stats();
    }

    /** Waits until the port accepts no more clients. */
    public void join() throws InterruptedException {
        server.join();
    }

    /**
     * Stops accepting, frees the port, and waits until the running tunnels have ended, as {@link ProxyHandler#drain}
     * does. Tunnels that still run after the grace time are reset. Blocks; must not be called on an event loop.
     *
     * @param grace how long to wait; zero resets at once
     * @return true if all tunnels ended by themselves
     * @throws InterruptedException if the waiting thread is interrupted; the port stays closed
     * @throws IllegalArgumentException if the grace time is negative; the port is closed nevertheless
     */
    public boolean drain(Duration grace) throws InterruptedException {
        server.close();
        return handler.drain(grace);
    }

    /** Stops accepting, frees the port, and resets its clients. Repeated calls have no effect. */
    @Override
    public void close() {
        server.close();
        handler.close();
    }
}
