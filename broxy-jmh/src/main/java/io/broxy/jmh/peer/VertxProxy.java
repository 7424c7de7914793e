package io.broxy.jmh.peer;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A forward proxy as a user of Vert.x 5 writes it: a verticle for each processor; for CONNECT the request becomes a socket and two
 * pipes join it with the target's; plain HTTP goes through a pooling {@code HttpClient}.
 *
 * <p>Threading: thread-safe.
 */
final class VertxProxy implements PeerProxy {
    private static final int BACKLOG = 1_024;
    private static final int POOLED = 1_024;
    private static final int BAD_GATEWAY = 502;

    private final Vertx vertx;
    private final int port;

    private VertxProxy(Vertx vertx, int port) {
        this.vertx = vertx;
        this.port = port;
    }

    static VertxProxy start(int port) throws Exception {
        int processors = Runtime.getRuntime().availableProcessors();
        Vertx vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(processors)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        SocketAddress address = port == 0
                ? SocketAddress.sharedRandomPort(1, host) // one free port for all verticles
                : SocketAddress.inetSocketAddress(port, host);
        AtomicInteger bound = new AtomicInteger();
        try {
            done(vertx.deployVerticle(
                    () -> new Front(address, bound), new DeploymentOptions().setInstances(processors)));
        } catch (Exception e) {
            done(vertx.close());
            throw e;
        }
        return new VertxProxy(vertx, bound.get());
    }

    private static void done(Future<?> future) throws Exception {
        future.toCompletionStage().toCompletableFuture().get();
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void close() throws Exception {
        done(vertx.close());
    }

    /** Serves the clients of one event loop. Threading: owned by its event loop. */
    private static final class Front extends VerticleBase {
        private final SocketAddress address;
        private final AtomicInteger port;

        Front(SocketAddress address, AtomicInteger port) {
            this.address = address;
            this.port = port;
        }

        @Override
        public Future<HttpServer> start() {
            NetClient dialer = vertx.createNetClient();
            HttpClient client = vertx.createHttpClient(new PoolOptions().setHttp1MaxSize(POOLED));
            return vertx.createHttpServer(new HttpServerOptions().setAcceptBacklog(BACKLOG))
                    .requestHandler(request -> {
                        request.pause();
                        if (request.method().equals(HttpMethod.CONNECT)) {
                            tunnel(dialer, request);
                        } else {
                            forward(client, request);
                        }
                    })
                    .listen(address)
                    .onSuccess(server -> port.set(server.actualPort()));
        }

        private static void tunnel(NetClient dialer, HttpServerRequest request) {
            String authority = request.uri();
            int colon = authority.lastIndexOf(':');
            dialer.connect(Integer.parseInt(authority.substring(colon + 1)), authority.substring(0, colon))
                    .onFailure(failure -> refuse(request))
                    .onSuccess(target -> {
                        target.pause();
                        request.toNetSocket()
                                .onFailure(failure -> target.close())
                                .onSuccess(client -> join(client, target));
                    });
        }

        private static void join(NetSocket client, NetSocket target) {
            client.closeHandler(closed -> target.close());
            target.closeHandler(closed -> client.close());
            client.pipeTo(target);
            target.pipeTo(client);
        }

        private static void forward(HttpClient client, HttpServerRequest request) {
            client.request(new RequestOptions().setMethod(request.method()).setAbsoluteURI(request.uri()))
                    .compose(outgoing -> {
                        outgoing.headers().setAll(request.headers()).remove("Proxy-Connection");
                        return send(outgoing, request);
                    })
                    .onFailure(failure -> refuse(request))
                    .onSuccess(response -> answer(request, response));
        }

        /** A stream is sent in chunks, so a request without a body is sent without one. */
        private static Future<HttpClientResponse> send(HttpClientRequest outgoing, HttpServerRequest request) {
            if (request.headers().contains(HttpHeaders.CONTENT_LENGTH)
                    || request.headers().contains(HttpHeaders.TRANSFER_ENCODING)) {
                return outgoing.send(request);
            }
            request.resume();
            return outgoing.send();
        }

        private static void answer(HttpServerRequest request, HttpClientResponse response) {
            request.response().setStatusCode(response.statusCode());
            request.response().headers().setAll(response.headers());
            response.pipeTo(request.response());
        }

        private static void refuse(HttpServerRequest request) {
            request.response().setStatusCode(BAD_GATEWAY).end();
        }
    }
}
