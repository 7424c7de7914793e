package io.broxy.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.core.Broxy;
import io.broxy.core.LocalProxy;
import io.broxy.core.SocketRegistration;
import io.broxy.core.testkit.Certificates;
import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Proxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;

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

    private CorporateNetwork(Duration dialTimeout) throws IOException {
        proxy = Proxy.start((itsBroxy, handler) -> handler.socks(true)
                .dialTimeout(dialTimeout)
                .accessPolicy(request -> !request.hasTarget() || targets.add(request.target()))
                .dialer(itsBroxy.directDialer()
                        .resolver(CorporateNetwork::resolve)
                        .build()));
    }

    static CorporateNetwork open() throws IOException {
        return new CorporateNetwork(PATIENCE);
    }

    /** A network whose proxy gives up a dial after two seconds, later than the clients of a test do. */
    static CorporateNetwork impatient() throws IOException {
        return new CorporateNetwork(Duration.ofSeconds(2));
    }

    private static List<InetAddress> resolve(String host) throws UnknownHostException {
        if (!host.equals(HOST)) {
            throw new UnknownHostException(host);
        }
        return List.of(InetAddress.getLoopbackAddress());
    }

    /** The certificate of {@link #HOST}, the same for all tests. */
    static Certificates certificates() {
        return Shared.CERTIFICATES;
    }

    private static final class Shared {
        static final Certificates CERTIFICATES = make();

        private static Certificates make() {
            try {
                Path folder = Files.createTempDirectory("broxy-recipes");
                Path file = folder.resolve("server.p12");
                try {
                    return Certificates.makeFor(HOST, file);
                } finally {
                    Files.deleteIfExists(file);
                    Files.delete(folder);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
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

    /** The application's sockets through the proxy. */
    SocketFactory sockets(Via via) {
        return broxy.sockets(dialer(via)).plain();
    }

    /** The application's sockets through the proxy, with TLS that trusts the servers' certificate only. */
    SSLSocketFactory tlsSockets(Via via) {
        return broxy.sockets(dialer(via)).tls(certificates().client());
    }

    /** Registers the application's sockets through the proxy by the name {@code corp}, with TLS as {@link #tlsSockets}. */
    SocketRegistration register(Via via) {
        return broxy.sockets(dialer(via)).register("corp", certificates().client());
    }

    /** A local proxy of the application, for clients that take no sockets. */
    LocalProxy localProxy(Via via) throws IOException {
        return broxy.localProxy(dialer(via)).start();
    }

    /** The name of a server, as the application knows it. */
    HostPort target(Daemon server) {
        return HostPort.of(HOST, server.target().port());
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
