package io.broxy.examples.hosts;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import java.net.InetSocketAddress;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/** Specifies the tunnels of a Jetty server. */
class JettyTest extends HostContract {
    @Override
    Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server, 1, 2);
        connector.setHost("127.0.0.1");
        connector.setAcceptQueueSize(1_024);
        server.addConnector(connector);
        server.setHandler(new JettyConnectHandler(tunnels, new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                Content.Sink.write(response, true, "hello\n", callback);
                return true;
            }
        }));
        server.start();
        return new Host(new InetSocketAddress("127.0.0.1", connector.getLocalPort()), server::stop);
    }
}
