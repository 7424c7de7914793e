package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.ProxyStats;
import io.broxy.ServerTls;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** A running proxy for clients with TLS. */
public final class TlsProxy implements AutoCloseable {
    private final Proxy proxy;
    private final ProxyServer server;

    private TlsProxy(Proxy proxy, ProxyServer server) {
        this.proxy = proxy;
        this.server = server;
    }

    /** A proxy with the certificate of {@link Certificates#loopback} and settings of its own. */
    public static TlsProxy start(Consumer<ProxyHandler.Builder> settings) throws IOException {
        return start(ServerTls.of(Certificates.loopback().server()), settings);
    }

    /** A proxy with settings of its own, which are made by the same engine. */
    public static TlsProxy start(BiConsumer<Broxy, ProxyHandler.Builder> settings) throws IOException {
        return start(ServerTls.of(Certificates.loopback().server()), settings);
    }

    /** A proxy with its own TLS and settings. */
    public static TlsProxy start(ServerTls tls, Consumer<ProxyHandler.Builder> settings) throws IOException {
        return start(tls, (broxy, builder) -> settings.accept(builder));
    }

    private static TlsProxy start(ServerTls tls, BiConsumer<Broxy, ProxyHandler.Builder> settings) throws IOException {
        Proxy proxy = Proxy.start(settings);
        try {
            return new TlsProxy(
                    proxy,
                    proxy.broxy()
                            .listen(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                    proxy.handler().overTls(tls)));
        } catch (IOException | RuntimeException e) {
            proxy.close();
            throw e;
        }
    }

    /** The proxy behind TLS, which has a port without TLS as well. */
    public Proxy plain() {
        return proxy;
    }

    /** The port for clients with TLS. */
    public int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    /** The handler's counters. */
    public ProxyStats stats() {
        return proxy.handler().stats();
    }

    /** A client that has connected, and has not begun its handshake. */
    public Peer unsecured() throws IOException {
        return Peer.connect(port());
    }

    /** A client that trusts {@link Certificates#loopback}, after its handshake. */
    public Peer client(String... protocols) throws IOException {
        return client(Certificates.loopback().client(), protocols);
    }

    /** A client after its handshake. */
    public Peer client(SSLContext context, String... protocols) throws IOException {
        return new Peer(secure(Peer.connect(port()).socket(), context, protocols));
    }

    /** The client's side of a handshake over a connected socket, which is complete. */
    public static SSLSocket secure(Socket below, SSLContext context, String... protocols) throws IOException {
        SSLSocket secure =
                (SSLSocket) context.getSocketFactory().createSocket(below, "localhost", below.getPort(), true);
        try {
            SSLParameters parameters = secure.getSSLParameters();
            parameters.setServerNames(
                    List.of(new SNIHostName("localhost"))); // which the JDK sends by itself only if it has a dot
            if (protocols.length > 0) {
                parameters.setProtocols(protocols);
            }
            secure.setSSLParameters(parameters);
            secure.setSoTimeout(Peer.PATIENCE_MILLIS);
            secure.startHandshake();
            return secure;
        } catch (IOException e) {
            secure.close();
            throw e;
        }
    }

    /** A client with an open tunnel. */
    public Peer connect(HostPort target, String... protocols) throws IOException {
        Peer client = client(protocols).send(Proxy.connectHead(target));
        assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
        return client;
    }

    @Override
    public void close() {
        proxy.close();
    }
}
