package io.broxy.jmh.peer;

import io.broxy.AddressPolicy;
import io.broxy.ProxyHandler;
import io.broxy.ServerTls;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Broxy with its defaults, except that clients may reach the loopback. Threading: thread-safe. */
final class BroxyProxy implements PeerProxy {
    private final Broxy broxy;
    private final ProxyServer server;

    private BroxyProxy(Broxy broxy, ProxyServer server) {
        this.broxy = broxy;
        this.server = server;
    }

    static BroxyProxy start(int port, @Nullable SSLContext tls) throws IOException {
        Broxy broxy = Broxy.create();
        try {
            ProxyHandler handler =
                    broxy.proxyHandler().addressPolicy(AddressPolicy.any()).build();
            return new BroxyProxy(
                    broxy,
                    broxy.listen(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                            tls == null ? handler : handler.overTls(ServerTls.of(tls))));
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
