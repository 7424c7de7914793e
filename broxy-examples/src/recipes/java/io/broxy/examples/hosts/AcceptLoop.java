package io.broxy.examples.hosts;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.ConnectRequest;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;

/**
 * A server with an accept loop and a thread for each client, which reads heads of requests itself: it answers {@code GET}, and
 * hands CONNECT over with what it has read. A server that serves nothing but proxy clients needs neither: {@code
 * handler.handle(channel)} reads the requests.
 *
 * <p>Threading: thread-safe.
 */
public final class AcceptLoop implements AutoCloseable {
    private static final int MAX_HEAD = 16 << 10;
    private static final String END_OF_HEAD = "\r\n\r\n";

    private final ServerSocketChannel server;
    private final ProxyHandler handler;

    private AcceptLoop(ServerSocketChannel server, ProxyHandler handler) {
        this.server = server;
        this.handler = handler;
    }

    /** Listens, and serves on daemon threads. */
    public static AcceptLoop start(SocketAddress address, ProxyHandler handler) throws IOException {
        AcceptLoop loop = new AcceptLoop(ServerSocketChannel.open().bind(address, 1_024), handler);
        thread(loop::accept);
        return loop;
    }

    private static void thread(Runnable task) {
        Thread thread = new Thread(task, "accept-loop");
        thread.setDaemon(true);
        thread.start();
    }

    /** Where it listens. */
    public InetSocketAddress address() throws IOException {
        return (InetSocketAddress) server.getLocalAddress();
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel client = server.accept();
                thread(() -> serve(client));
            } catch (IOException e) {
                // closed, which ends the loop, or the client has gone
            }
        }
    }

    private void serve(SocketChannel client) {
        boolean handedOver = false;
        try {
            ByteBuffer buffer = ByteBuffer.allocate(MAX_HEAD);
            while (!handedOver && readHead(client, buffer)) {
                String head = takeHead(buffer);
                if (head.startsWith("CONNECT ")) {
                    handedOver = connect(client, head, buffer.flip());
                } else {
                    client.write(response("200 OK", "hello\n"));
                }
            }
        } catch (IOException e) {
            // the client has gone
        } finally {
            if (!handedOver) {
                close(client);
            }
        }
    }

    /** Hands the client over with its request and the bytes behind it. */
    private boolean connect(SocketChannel client, String head, ByteBuffer early) throws IOException {
        List<String> lines = head.lines().toList();
        ConnectRequest.Builder request;
        try {
            request = ConnectRequest.builder(HostPort.parse(lines.get(0).split(" ", -1)[1]));
        } catch (RuntimeException e) { // no host and port
            client.write(response("400 Bad Request", "no target\n"));
            return false;
        }
        for (String line : lines.subList(1, lines.size())) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                request.field(
                        line.substring(0, colon), line.substring(colon + 1).strip());
            }
        }
        handler.handleConnect(client, request.earlyBytes(early).build());
        return true;
    }

    /** Reads until the buffer has a whole head; false at the end of the stream, and for a head that is too long. */
    private static boolean readHead(SocketChannel client, ByteBuffer buffer) throws IOException {
        while (endOfHead(buffer) < 0) {
            if (!buffer.hasRemaining() || client.read(buffer) < 0) {
                return false;
            }
        }
        return true;
    }

    private static int endOfHead(ByteBuffer buffer) {
        return ISO_8859_1.decode(buffer.duplicate().flip()).toString().indexOf(END_OF_HEAD);
    }

    /** Takes the head, and leaves what follows it. */
    private static String takeHead(ByteBuffer buffer) {
        int length = endOfHead(buffer) + END_OF_HEAD.length();
        buffer.flip();
        String head = ISO_8859_1.decode(buffer.slice(0, length)).toString();
        buffer.position(length).compact();
        return head;
    }

    private static ByteBuffer response(String status, String body) {
        return ISO_8859_1.encode("HTTP/1.1 " + status + "\r\nContent-Length: " + body.length() + END_OF_HEAD + body);
    }

    private static void close(SocketChannel client) {
        try {
            client.close();
        } catch (IOException e) {
            // it was closed before
        }
    }

    /** Stops accepting; clients that were handed over stay with the handler. */
    @Override
    public void close() throws IOException {
        server.close();
    }
}
