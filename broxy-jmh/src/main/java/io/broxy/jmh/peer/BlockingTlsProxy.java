package io.broxy.jmh.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Phaser;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/**
 * As {@link BlockingProxy}, for clients with TLS: each client has an {@code SSLSocket}, the JDK's API for blocking servers.
 *
 * <p>Threading: thread-safe.
 */
final class BlockingTlsProxy implements PeerProxy {
    private static final int BACKLOG = 1_024;
    private static final int BUFFER_BYTES = 32 << 10;
    private static final int MAX_HEAD_BYTES = 8 << 10;
    private static final byte[] ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n".getBytes(US_ASCII);

    private final ExecutorService threads;
    private final SSLServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private BlockingTlsProxy(ExecutorService threads, SSLServerSocket server) {
        this.threads = threads;
        this.server = server;
    }

    static BlockingTlsProxy start(ExecutorService threads, int port, SSLContext tls) throws IOException {
        BlockingTlsProxy proxy = new BlockingTlsProxy(threads, (SSLServerSocket)
                tls.getServerSocketFactory().createServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress()));
        Thread acceptor = new Thread(proxy::accept, "blocking-tls-proxy-acceptor");
        acceptor.setDaemon(true);
        acceptor.start();
        return proxy;
    }

    @Override
    public int port() {
        return server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        threads.shutdownNow();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                try {
                    threads.execute(() -> serve(client));
                } catch (RejectedExecutionException e) { // the client was accepted while the proxy was being closed
                    client.close();
                }
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                throw new UncheckedIOException("the proxy cannot accept", e);
            }
        }
    }

    private void serve(Socket client) {
        open.add(client);
        try (client) {
            client.setTcpNoDelay(true);
            String authority = readHead(client.getInputStream()).split(" ", 3)[1];
            int colon = authority.lastIndexOf(':');
            try (Socket origin =
                    new Socket(authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)))) {
                open.add(origin);
                origin.setTcpNoDelay(true);
                client.getOutputStream().write(ESTABLISHED);
                Phaser ended = new Phaser(2);
                threads.execute(() -> {
                    copy(origin, client);
                    ended.arrive();
                });
                copy(client, origin);
                ended.arriveAndAwaitAdvance();
                open.remove(origin);
            }
        } catch (IOException e) {
            // A failed tunnel is closed; others are not affected.
        } finally {
            open.remove(client);
        }
    }

    private static void copy(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count; (count = in.read(buffer)) >= 0; ) {
                out.write(buffer, 0, count);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            closeBoth(from, to); // also ends the other direction
        }
    }

    private static void closeBoth(Socket one, Socket other) {
        try (one;
                other) {
            // Nothing else to do.
        } catch (IOException e) {
            // Both are closed regardless.
        }
    }

    private static String readHead(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0 || head.length() == MAX_HEAD_BYTES) {
                throw new EOFException("the client ended before its head was complete, or the head is too long");
            }
            head.append((char) next);
        }
        return head.toString();
    }
}
