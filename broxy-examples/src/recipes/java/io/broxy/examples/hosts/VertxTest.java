package io.broxy.examples.hosts;

import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.util.concurrent.TimeUnit;

/** Specifies the tunnels of a Vert.x server, whose sockets are handed over. */
class VertxTest extends HostContract {
    @Override
    Host start(Broxy engine, ProxyHandler tunnels) throws Exception {
        Vertx vertx = Vertx.vertx();
        HttpServer server = vertx.createHttpServer(new HttpServerOptions().setAcceptBacklog(1_024))
                .requestHandler(new VertxConnectHandler(
                        tunnels, request -> request.response().end("hello\n")))
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
        return Host.at(
                server.actualPort(),
                () -> vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS));
    }
}
