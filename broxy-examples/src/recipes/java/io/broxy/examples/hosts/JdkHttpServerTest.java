package io.broxy.examples.hosts;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpServer;

/** Specifies tunnels beside the JDK's {@code com.sun.net.httpserver}, over a shared port. */
class JdkHttpServerTest extends SharedPortContract {
    @Override
    Host startServer() throws Exception {
        HttpServer server = HttpServer.create(ANY_PORT, 1_024);
        server.createContext("/", exchange -> {
            byte[] body = "hello\n".getBytes(US_ASCII);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        return new Host(server.getAddress(), () -> server.stop(0));
    }
}
