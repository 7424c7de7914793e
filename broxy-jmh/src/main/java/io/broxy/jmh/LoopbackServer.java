package io.broxy.jmh;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The origin behind the proxy, with one blocking thread per client. It reuses threads and buffers, so that it adds little to
 * the cost of an operation.
 *
 * <p>Threading: thread-safe.
 */
final class LoopbackServer implements AutoCloseable {
    /** The number of bytes that {@link #source} sends for each received byte. */
    static final int SOURCE_BYTES = 4 << 20;

    private static final int BUFFER_BYTES = 16 << 10;
    private static final byte[] SOURCE = new byte[SOURCE_BYTES];
    private static final byte[] OK =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK".getBytes(US_ASCII);

    /** The last four bytes of a request's head. */
    private static final int EMPTY_LINE = '\r' << 24 | '\n' << 16 | '\r' << 8 | '\n';

    private final ThreadLocal<byte[]> buffers = ThreadLocal.withInitial(() -> new byte[BUFFER_BYTES]);
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "target");
        thread.setDaemon(true);
        return thread;
    });
    private final ServerSocket server;
    private final Service service;

    /** Serves a client until the end of its stream. */
    @FunctionalInterface
    private interface Service {
        void serve(InputStream in, OutputStream out, byte[] buffer) throws IOException;
    }

    /** Starts a server that echoes received bytes. */
    static LoopbackServer echo() throws IOException {
        return new LoopbackServer((in, out, buffer) -> {
            for (int count; (count = in.read(buffer)) >= 0; ) {
                out.write(buffer, 0, count);
            }
        });
    }

    /** Starts a server that discards received bytes. */
    static LoopbackServer discard() throws IOException {
        return new LoopbackServer((in, out, buffer) -> {
            while (in.read(buffer) >= 0) {
                // The bytes are discarded.
            }
        });
    }

    /** Starts a server that sends {@link #SOURCE_BYTES} for each received byte. */
    static LoopbackServer source() throws IOException {
        return new LoopbackServer((in, out, buffer) -> {
            while (in.read(buffer, 0, 1) >= 0) {
                out.write(SOURCE);
            }
        });
    }

    /**
     * Starts a server that responds to each HTTP request without a body with 200 and the two bytes {@code OK}, and keeps the
     * connection open.
     */
    static LoopbackServer http() throws IOException {
        return new LoopbackServer((in, out, buffer) -> {
            int last = 0;
            for (int count; (count = in.read(buffer)) >= 0; ) {
                for (int i = 0; i < count; i++) {
                    last = last << 8 | buffer[i];
                    if (last == EMPTY_LINE) {
                        out.write(OK);
                    }
                }
            }
        });
    }

    private LoopbackServer(Service service) throws IOException {
        this.service = service;
        server = new ServerSocket(0, 1_024, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** The address as a request target. */
    String authority() {
        return "127.0.0.1:" + port();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                threads.execute(() -> serve(client));
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new UncheckedIOException("the server cannot accept", e);
                }
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            client.setTcpNoDelay(true);
            service.serve(client.getInputStream(), client.getOutputStream(), buffers.get());
        } catch (IOException e) {
            // An aborted benchmark resets its last connections.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }
}
