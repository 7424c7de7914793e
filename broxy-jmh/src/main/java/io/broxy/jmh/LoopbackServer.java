package io.broxy.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Sends back what it gets, to each client on a blocking thread. Its threads and buffers are used again, so that it adds
 * little to what an operation costs.
 *
 * <p>Threading: thread-safe.
 */
final class EchoServer implements AutoCloseable {
    private static final int BUFFER_BYTES = 16 << 10;

    private final ThreadLocal<byte[]> buffers = ThreadLocal.withInitial(() -> new byte[BUFFER_BYTES]);
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "echo");
        thread.setDaemon(true);
        return thread;
    });
    private final ServerSocket server;

    EchoServer() throws IOException {
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
                threads.execute(() -> echo(client));
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new UncheckedIOException("the echo server cannot accept", e);
                }
            }
        }
    }

    private void echo(Socket client) {
        byte[] buffer = buffers.get();
        try (client) {
            client.setTcpNoDelay(true);
            for (int count; (count = client.getInputStream().read(buffer)) >= 0; ) {
                client.getOutputStream().write(buffer, 0, count);
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
