package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The JDK's own web server on a free port of the loopback, and what it was asked.
 *
 * <p>{@code /digest} answers with the SHA-256 of the request's content, {@code /echo} with the content: in chunks if it
 * came so. {@code /bytes/COUNT/SEED} is a {@linkplain Payload payload}, {@code /chunks/COUNT/SEED} the same in chunks.
 *
 * <p>Threading: thread-safe.
 */
public final class WebServer implements AutoCloseable {

    /** A request as it came. Threading: immutable. */
    public record Asked(String method, String target, Headers fields, int port) {}

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Asked> asked = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    private WebServer(HttpServer server) {
        this.server = server;
    }

    /** Starts a server. */
    public static WebServer start() throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        WebServer server = new WebServer(http);
        http.setExecutor(server.threads);
        server.on("/digest", WebServer::digest);
        server.on("/echo", WebServer::echo);
        server.on("/bytes/", WebServer::bytes);
        server.on("/chunks/", WebServer::bytes);
        http.start();
        return server;
    }

    /** Serves one more path and what is below it. */
    public WebServer on(String path, HttpHandler handler) {
        server.createContext(path, exchange -> {
            asked.add(new Asked(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().toString(),
                    exchange.getRequestHeaders(),
                    exchange.getRemoteAddress().getPort()));
            handler.handle(exchange);
            exchange.close(); // if it has not failed, which breaks the connection
        });
        return this;
    }

    private static void digest(HttpExchange exchange) throws IOException {
        byte[] digest = Payload.read(exchange.getRequestBody()).getBytes(UTF_8);
        exchange.sendResponseHeaders(200, digest.length);
        exchange.getResponseBody().write(digest);
    }

    private static void echo(HttpExchange exchange) throws IOException {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        exchange.sendResponseHeaders(200, length == null ? 0 : Long.parseLong(length)); // 0 is chunks
        try (OutputStream out = exchange.getResponseBody()) {
            exchange.getRequestBody().transferTo(out);
        }
    }

    private static void bytes(HttpExchange exchange) throws IOException {
        String[] path = exchange.getRequestURI().getPath().split("/", -1);
        int count = Integer.parseInt(path[2]);
        boolean chunked = path[1].equals("chunks");
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head && !chunked) {
            exchange.getResponseHeaders().set("Content-Length", path[2]);
        }
        exchange.sendResponseHeaders(200, head ? -1 : chunked ? 0 : count);
        if (!head) {
            Payload.write(exchange.getResponseBody(), count, Long.parseLong(path[3]));
        }
    }

    /** What it was asked so far, in order. */
    public List<Asked> asked() {
        return List.copyOf(asked);
    }

    /** How many connections the requests came over. */
    public long connections() {
        return asked.stream().mapToInt(Asked::port).distinct().count();
    }

    /** The port it listens on. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** The URL of a path. */
    public String url(String path) {
        return "http://127.0.0.1:" + port() + path;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
