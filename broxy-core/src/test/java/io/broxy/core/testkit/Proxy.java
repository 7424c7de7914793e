package io.broxy.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.AddressPolicy;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** A running proxy that lets clients reach the loopback. */
public final class Proxy implements AutoCloseable {
    private final Broxy broxy;
    private final ProxyHandler handler;
    private final ProxyServer server;

    private Proxy(Broxy broxy, ProxyHandler handler, ProxyServer server) {
        this.broxy = broxy;
        this.handler = handler;
        this.server = server;
    }

    /** A proxy with the defaults but for the policy of addresses. */
    public static Proxy start() throws IOException {
        return start(settings -> {});
    }

    /** A proxy with settings of its own. */
    public static Proxy start(Consumer<ProxyHandler.Builder> settings) throws IOException {
        return start((broxy, builder) -> settings.accept(builder));
    }

    /** A proxy with settings of its own, which are made by the same engine. */
    public static Proxy start(BiConsumer<Broxy, ProxyHandler.Builder> settings) throws IOException {
        Broxy broxy = Broxy.builder().eventLoops(2).build();
        try {
            ProxyHandler.Builder builder = broxy.proxyHandler().addressPolicy(AddressPolicy.any());
            settings.accept(broxy, builder);
            ProxyHandler handler = builder.build();
            ProxyServer server = broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler);
            return new Proxy(broxy, handler, server);
        } catch (IOException | RuntimeException e) {
            broxy.close();
            throw e;
        }
    }

    /** The engine. */
    public Broxy broxy() {
        return broxy;
    }

    /** The handler. */
    public ProxyHandler handler() {
        return handler;
    }

    /** The server. */
    public ProxyServer server() {
        return server;
    }

    /** The address it listens on. */
    public InetSocketAddress address() {
        return (InetSocketAddress) server.localAddress();
    }

    /** A client that has sent nothing yet. */
    public Peer client() throws IOException {
        return Peer.connect(address());
    }

    /** A client with an open tunnel. */
    public Peer connect(HostPort target) throws IOException {
        Peer client = client().send(connectHead(target));
        assertThat(client.readHead()).isEqualTo("HTTP/1.1 200 OK\r\n\r\n");
        return client;
    }

    /** The head of a CONNECT request as a usual client sends it. */
    public static String connectHead(HostPort target) {
        return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n";
    }

    @Override
    public void close() {
        broxy.close();
    }
}
