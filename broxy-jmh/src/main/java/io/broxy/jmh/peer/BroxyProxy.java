package io.broxy.jmh.peer;

import io.broxy.AddressPolicy;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Broxy with its defaults, but that clients may reach the loopback. Threading: thread-safe. */
final class BroxyProxy implements PeerProxy {
    private final Broxy broxy;
    private final ProxyServer server;

    private BroxyProxy(Broxy broxy, ProxyServer server) {
        this.broxy = broxy;
        this.server = server;
    }

    static BroxyProxy start(int port) throws IOException {
        Broxy broxy = Broxy.create();
        try {
            return new BroxyProxy(
                    broxy,
                    broxy.listen(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                            broxy.proxyHandler()
                                    .addressPolicy(AddressPolicy.any())
                                    .build()));
        } catch (IOException e) {
            broxy.close();
            throw e;
        }
    }

    @Override
    public int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    @Override
    public void close() {
        broxy.close();
    }
}
