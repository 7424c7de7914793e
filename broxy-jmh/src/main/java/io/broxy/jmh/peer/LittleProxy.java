package io.broxy.jmh.peer;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.littleshoot.proxy.HttpProxyServer;
import org.littleshoot.proxy.impl.DefaultHttpProxyServer;
import org.littleshoot.proxy.impl.ThreadPoolConfiguration;

/** LittleProxy with its defaults, except for one thread per processor like the others. Threading: thread-safe. */
final class LittleProxy implements PeerProxy {
    private final HttpProxyServer server;

    private LittleProxy(HttpProxyServer server) {
        this.server = server;
    }

    static LittleProxy start(int port) {
        int threads = Runtime.getRuntime().availableProcessors();
        return new LittleProxy(DefaultHttpProxyServer.bootstrap()
                .withAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .withThreadPoolConfiguration(new ThreadPoolConfiguration()
                        .withAcceptorThreads(1)
                        .withClientToProxyWorkerThreads(threads)
                        .withProxyToServerWorkerThreads(threads))
                .start());
    }

    @Override
    public int port() {
        return server.getListenAddress().getPort();
    }

    @Override
    public void close() {
        server.abort();
    }
}
