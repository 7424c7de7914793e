package io.broxy.examples.hosts;

import io.broxy.ConnectRequest;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.netty.channel.Channel;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpServerConnection;

/**
 * Serves CONNECT requests of a Vert.x 5 server, and passes all others on. It takes the Netty channel below the request, which
 * only Vert.x's own package {@code io.vertx.core.http.impl} has: on the module path, that package has to be exported to yours.
 *
 * <p>Threading: owned by the event loop of each request; it must not run on a worker context.
 */
public final class VertxConnectHandler implements Handler<HttpServerRequest> {
    private final ProxyHandler handler;
    private final Handler<HttpServerRequest> others;

    /**
     * Opens tunnels with a handler.
     *
     * @param others serves all other requests
     */
    public VertxConnectHandler(ProxyHandler handler, Handler<HttpServerRequest> others) {
        this.handler = handler;
        this.others = others;
    }

    @Override
    public void handle(HttpServerRequest request) {
        if (!request.method().equals(HttpMethod.CONNECT)) {
            others.handle(request);
            return;
        }
        if (request.version() == HttpVersion.HTTP_2) { // its tunnel would be one stream of many
            request.response().setStatusCode(501).end();
            return;
        }
        ConnectRequest.Builder parsed;
        try {
            parsed = ConnectRequest.builder(HostPort.parse(request.uri()));
        } catch (IllegalArgumentException e) {
            request.response().setStatusCode(400).end();
            return;
        }
        request.headers().forEach(field -> parsed.field(field.getKey(), field.getValue()));
        Channel channel = ((HttpServerConnection) request.connection())
                .channelHandlerContext()
                .channel();
        NettyHandOver.connect(channel, handler, parsed);
    }
}
