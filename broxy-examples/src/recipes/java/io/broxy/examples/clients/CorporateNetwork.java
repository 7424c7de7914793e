package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What lies between an application and the servers that it uses: a proxy that speaks HTTP and SOCKS5 at one port, and
 * that alone resolves {@link #HOST}. When it closes, no connection through it may be open any more.
 *
 * <p>Threading: thread-safe.
 */
final class CorporateNetwork implements AutoCloseable {

    /** A name of the loopback that nothing but the proxy knows. */
    static final String HOST = "server.corp.invalid";

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** What an application speaks to the proxy. */
    enum Via {
        HTTP,
        SOCKS5
    }

    private final Queue<HostPort> targets = new ConcurrentLinkedQueue<>();
    private final Proxy proxy;
    private final Broxy broxy = Broxy.create();

    private CorporateNetwork() throws IOException {
        proxy = Proxy.start((itsBroxy, handler) -> handler.socks(true)
                .accessPolicy(request -> !request.hasTarget() || targets.add(request.target()))
                .dialer(itsBroxy.directDialer()
                        .resolver(CorporateNetwork::resolve)
                        .build()));
    }

    static CorporateNetwork open() throws IOException {
        return new CorporateNetwork();
    }

    private static List<InetAddress> resolve(String host) throws UnknownHostException {
        if (!host.equals(HOST)) {
            throw new UnknownHostException(host);
        }
        return List.of(InetAddress.getLoopbackAddress());
    }

    /** The engine of the application. */
    Broxy broxy() {
        return broxy;
    }

    /** The application's dialer through the proxy. */
    Dialer dialer(Via via) {
        HostPort at = HostPort.of("127.0.0.1", proxyAddress().getPort());
        return via == Via.HTTP
                ? broxy.httpProxyDialer(at).build()
                : broxy.socks5Dialer(at).build();
    }

    /** Where the proxy listens. */
    InetSocketAddress proxyAddress() {
        return proxy.address();
    }

    /** What the proxy has been asked for, in order. */
    List<HostPort> targets() {
        return List.copyOf(targets);
    }

    /** The number of tunnels through the proxy that are open now. */
    long openTunnels() {
        return proxy.handler().stats().openTunnels();
    }

    @Override
    public void close() {
        try {
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertThat(openTunnels()).as("tunnels left open").isZero());
        } finally {
            broxy.close();
            proxy.close();
        }
    }
}
