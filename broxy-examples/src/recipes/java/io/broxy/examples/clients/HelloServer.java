package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A web server on the loopback, with TLS or without, that answers {@code hello}. At {@code /meet} it answers when as many
 * requests as the server was made for are there, each on a connection of its own.
 *
 * <p>Threading: thread-safe.
 */
final class HelloServer implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private final CountDownLatch meeting;

    private HelloServer(HttpServer server, int guests) throws IOException {
        this.server = server;
        meeting = new CountDownLatch(guests);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 2 * guests);
        server.setExecutor(threads);
        server.createContext("/", HelloServer::answer);
        server.createContext("/meet", this::meet);
        server.start();
    }

    static HelloServer http(int guests) throws IOException {
        return new HelloServer(HttpServer.create(), guests);
    }

    static HelloServer https(int guests) throws IOException {
        HttpsServer server = HttpsServer.create();
        server.setHttpsConfigurator(
                new HttpsConfigurator(CorporateNetwork.certificates().server()));
        return new HelloServer(server, guests);
    }

    private void meet(HttpExchange exchange) throws IOException {
        meeting.countDown();
        try {
            if (!meeting.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("only some have come; missing: " + meeting.getCount());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        answer(exchange);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] hello = "hello".getBytes(US_ASCII);
            exchange.sendResponseHeaders(200, hello.length);
            exchange.getResponseBody().write(hello);
        }
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** The address of a page, by the name that only the proxy knows. */
    String url(String path) {
        String scheme = server instanceof HttpsServer ? "https" : "http";
        return scheme + "://" + CorporateNetwork.HOST + ":" + port() + path;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
