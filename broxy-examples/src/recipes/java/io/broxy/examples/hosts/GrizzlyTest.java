package io.broxy.examples.hosts;

import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.HttpServer;
import org.glassfish.grizzly.http.server.NetworkListener;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;

/** Specifies tunnels beside Grizzly, over a shared port. */
class GrizzlyTest extends SharedPortContract {
    @Override
    Host startServer() throws Exception {
        HttpServer server = new HttpServer();
        NetworkListener listener = new NetworkListener("own", "127.0.0.1", 0);
        server.addListener(listener);
        server.getServerConfiguration().addHttpHandler(new HttpHandler() {
            @Override
            public void service(Request request, Response response) throws Exception {
                response.getWriter().write("hello\n");
            }
        });
        server.start();
        return Host.at(listener.getPort(), server::shutdownNow);
    }
}
