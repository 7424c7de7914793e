package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.broxy.HostPort;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * What an operator and a load balancer ask: {@code /healthz} and {@code /metrics}.
 *
 * <p>Threading: thread-safe; two threads answer.
 */
final class AdminServer implements AutoCloseable {
    private static final int THREADS = 2;
    private static final long STOP_SECONDS = 10;

    /** A request and an answer take no longer, in seconds; the JDK's server reads these properties when it is loaded. */
    private static final String LONGEST = "10";

    private final HttpServer server;
    private final ExecutorService threads;
    private final PrometheusRegistry metrics;
    private final BooleanSupplier serving;

    private AdminServer(HttpServer server, PrometheusRegistry metrics, BooleanSupplier serving) {
        this.server = server;
        this.metrics = metrics;
        this.serving = serving;
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "broxy-mini-server-admin-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Starts to listen.
     *
     * @param serving whether clients are served, and not only the last of them
     * @throws IOException if the address cannot be listened on
     */
    static AdminServer start(ListenAddress address, PrometheusRegistry metrics, BooleanSupplier serving)
            throws IOException {
        limit("sun.net.httpserver.maxReqTime");
        limit("sun.net.httpserver.maxRspTime");
        InetSocketAddress resolved = address.resolve();
        if (resolved.isUnresolved()) {
            throw new IOException("cannot listen on " + address.host() + ": unknown host");
        }
        HttpServer server;
        try {
            server = HttpServer.create(resolved, 0);
        } catch (BindException e) {
            throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
        }
        AdminServer admin = new AdminServer(server, metrics, serving);
        server.setExecutor(admin.threads);
        server.createContext("/", admin::serve);
        server.start();
        return admin;
    }

    private static void limit(String property) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, LONGEST);
        }
    }

    /** Where it listens, with the port that was taken. */
    ListenAddress address() {
        InetSocketAddress address = server.getAddress();
        HostPort text = HostPort.of(address.getAddress().getHostAddress(), address.getPort());
        return new ListenAddress(text.host(), text.port());
    }

    /** As {@link #address}, for what takes no text. */
    InetSocketAddress socketAddress() {
        return server.getAddress();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!exchange.getRequestMethod().equals("GET")
                    && !exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                answer(exchange, 405, "text/plain", "only GET\n".getBytes(US_ASCII));
                return;
            }
            switch (exchange.getRequestURI().getPath()) {
                case "/healthz" -> {
                    boolean healthy = serving.getAsBoolean();
                    byte[] text = (healthy ? "serving\n" : "draining\n").getBytes(US_ASCII);
                    answer(exchange, healthy ? 200 : 503, "text/plain", text);
                }
                case "/metrics" -> answer(exchange, 200, PrometheusTextFormatWriter.CONTENT_TYPE, scrape());
                default -> answer(exchange, 404, "text/plain", "/healthz or /metrics\n".getBytes(US_ASCII));
            }
        }
    }

    private byte[] scrape() throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        PrometheusTextFormatWriter.create().write(text, metrics.scrape());
        return text.toByteArray();
    }

    private static void answer(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
        } else {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
        try {
            threads.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
