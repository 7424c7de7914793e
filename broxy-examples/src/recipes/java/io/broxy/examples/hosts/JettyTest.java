package io.broxy.examples.hosts;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.Certificates;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.AbstractConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;

/** Specifies the tunnels of a Jetty server. */
class JettyTest extends HostContract {
    @Override
    final Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        Server server = new Server();
        HttpConfiguration http = new HttpConfiguration();
        http.addCustomizer(new SecureRequestCustomizer(false)); // a CONNECT names another host than the certificate
        ServerConnector connector = new ServerConnector(
                server,
                null,
                null,
                null,
                1,
                2,
                AbstractConnectionFactory.getFactories(tls(), new HttpConnectionFactory(http)));
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
        return Host.at(connector.getLocalPort(), server::stop);
    }

    private SslContextFactory.@Nullable Server tls() {
        Certificates certificates = certificates();
        if (certificates == null) {
            return null;
        }
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setSslContext(certificates.server());
        return tls;
    }
}
