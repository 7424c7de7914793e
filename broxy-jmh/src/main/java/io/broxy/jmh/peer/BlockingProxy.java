package io.broxy.jmh.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Phaser;
import java.util.concurrent.RejectedExecutionException;

/**
 * The simplest correct CONNECT proxy: blocking channels, with a thread and a new buffer of 32 KiB for each direction of each
 * tunnel; the executor decides on the kind of thread. Plain HTTP gets 501.
 *
 * <p>Threading: thread-safe.
 */
final class BlockingProxy implements PeerProxy {
    private static final int BACKLOG = 1_024;
    private static final int BUFFER_BYTES = 32 << 10;
    private static final String END_OF_HEAD = "\r\n\r\n";
    private static final byte[] ESTABLISHED = ascii("HTTP/1.1 200 Connection established\r\n\r\n");
    private static final byte[] NOT_IMPLEMENTED =
            ascii("HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

    private final ExecutorService threads;
    private final ServerSocketChannel server;
    private final int port;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();

    private BlockingProxy(ExecutorService threads, ServerSocketChannel server) throws IOException {
        this.threads = threads;
        this.server = server;
        this.port = ((InetSocketAddress) server.getLocalAddress()).getPort();
    }

    static BlockingProxy start(ExecutorService threads, int port) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        BlockingProxy proxy = new BlockingProxy(threads, server);
        Thread acceptor = new Thread(proxy::accept, "blocking-proxy-acceptor");
        acceptor.setDaemon(true);
        acceptor.start();
        return proxy;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (SocketChannel channel : open) {
            channel.close();
        }
        threads.shutdownNow();
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel client = server.accept();
                try {
                    threads.execute(() -> serve(client));
                } catch (RejectedExecutionException e) { // the client was accepted while the proxy was being closed
                    client.close();
                }
            }
        } catch (IOException e) {
            if (server.isOpen()) {
                throw new UncheckedIOException("the proxy cannot accept", e);
            }
        }
    }

    private void serve(SocketChannel client) {
        open.add(client);
        try (client) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
            String[] request = readHead(client, buffer).split(" ", 3);
            if (request[0].equals("CONNECT")) {
                tunnel(client, request[1], buffer);
            } else {
                write(client, ByteBuffer.wrap(NOT_IMPLEMENTED));
            }
        } catch (IOException e) {
            // A failed tunnel is closed; others are not affected.
        } finally {
            open.remove(client);
        }
    }

    private void tunnel(SocketChannel client, String authority, ByteBuffer buffer) throws IOException {
        int colon = authority.lastIndexOf(':');
        InetSocketAddress target =
                new InetSocketAddress(authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)));
        try (SocketChannel origin = SocketChannel.open()) {
            open.add(origin);
            origin.setOption(StandardSocketOptions.TCP_NODELAY, true);
            origin.connect(target);
            write(client, ByteBuffer.wrap(ESTABLISHED));
            write(origin, buffer);
            Phaser ended = new Phaser(2);
            threads.execute(() -> {
                copy(origin, client, ByteBuffer.allocate(BUFFER_BYTES));
                ended.arrive();
            });
            copy(client, origin, buffer);
            ended.arriveAndAwaitAdvance();
            open.remove(origin);
        }
    }

    private static void copy(SocketChannel from, SocketChannel to, ByteBuffer buffer) {
        try {
            while (from.read(buffer.clear()) >= 0) {
                write(to, buffer.flip());
            }
            to.shutdownOutput();
        } catch (IOException e) {
            closeBoth(from, to); // also ends the other direction
        }
    }

    private static void closeBoth(SocketChannel one, SocketChannel other) {
        try (one;
                other) {
            // Nothing else to do.
        } catch (IOException e) {
            // Both are closed regardless.
        }
    }

    /** Reads up to the empty line, and leaves the bytes after it in the buffer, ready to be written. */
    private static String readHead(SocketChannel client, ByteBuffer buffer) throws IOException {
        while (client.read(buffer) > 0) {
            byte[] got = new byte[buffer.position()];
            buffer.get(0, got);
            String head = new String(got, US_ASCII);
            int end = head.indexOf(END_OF_HEAD);
            if (end >= 0) {
                buffer.flip().position(end + END_OF_HEAD.length());
                return head.substring(0, end);
            }
        }
        throw new EOFException("the client ended before its head was complete, or the head is too long");
    }

    private static void write(SocketChannel to, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(US_ASCII);
    }
}
