package io.broxy.jmh.peer;

import java.net.InetAddress;
import org.eclipse.jetty.proxy.ProxyHandler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ConnectHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Jetty's {@code ConnectHandler} around its {@code ProxyHandler.Forward}, with buffers of 32 KiB for tunnels, since the default
 * of 4 KiB would slow it down needlessly.
 *
 * <p>Threading: thread-safe.
 */
final class JettyProxy implements PeerProxy {
    private static final int THREADS = 16;
    private static final int BACKLOG = 1_024;
    private static final int BUFFER_BYTES = 32 << 10;

    private final Server server;
    private final ServerConnector connector;

    private JettyProxy(Server server, ServerConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    static JettyProxy start(int port) throws Exception {
        Server server = new Server(new QueuedThreadPool(THREADS));
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost(InetAddress.getLoopbackAddress().getHostAddress());
        connector.setPort(port);
        connector.setAcceptQueueSize(BACKLOG);
        server.addConnector(connector);
        ConnectHandler connect = new ConnectHandler(new ProxyHandler.Forward());
        connect.setBufferSize(BUFFER_BYTES);
        server.setHandler(connect);
        server.setStopTimeout(0);
        server.start();
        return new JettyProxy(server, connector);
    }

    @Override
    public int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() throws Exception {
        server.stop();
    }
}
