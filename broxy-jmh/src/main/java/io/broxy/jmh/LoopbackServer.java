package io.broxy.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Sends back what it gets, or nothing, to each client on a blocking thread. Its threads and buffers are used again, so that it adds
 * little to what an operation costs.
 *
 * <p>Threading: thread-safe.
 */
final class LoopbackServer implements AutoCloseable {
    private static final int BUFFER_BYTES = 16 << 10;

    private final ThreadLocal<byte[]> buffers = ThreadLocal.withInitial(() -> new byte[BUFFER_BYTES]);
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "target");
        thread.setDaemon(true);
        return thread;
    });
    private final ServerSocket server;
    private final boolean answers;

    /** Sends back what it gets. */
    static LoopbackServer echo() throws IOException {
        return new LoopbackServer(true);
    }

    /** Reads to the end. */
    static LoopbackServer discard() throws IOException {
        return new LoopbackServer(false);
    }

    private LoopbackServer(boolean answers) throws IOException {
        this.answers = answers;
        server = new ServerSocket(0, 1_024, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
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
        byte[] buffer = buffers.get();
        try (client) {
            client.setTcpNoDelay(true);
            for (int count; (count = client.getInputStream().read(buffer)) >= 0; ) {
                if (answers) {
                    client.getOutputStream().write(buffer, 0, count);
                }
            }
        } catch (IOException e) {
            // A benchmark that is cut off resets its last connections.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }
}
