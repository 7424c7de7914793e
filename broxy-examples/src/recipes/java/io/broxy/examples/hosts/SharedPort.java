package io.broxy.examples.hosts;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.Connection;
import io.broxy.DialRequest;
import io.broxy.DirectDialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One port for a proxy and for a server that cannot serve CONNECT. The first bytes of a connection tell: proxy clients send
 * {@code CONNECT} or a whole {@code http://} URI, and go to the handler; everything else is relayed to the server, which listens
 * at another port, of the loopback for example. Copy this file.
 *
 * <p>The first request decides for the whole connection. Clients keep connections to a proxy and to an origin server apart, so
 * none needs both over one. The server sees this host as its client.
 *
 * <p>Threading: thread-safe; one thread waits for the first bytes of all clients, and never blocks for one.
 */
public final class SharedPort implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SharedPort.class);

    /** Longer than the method of any request that a proxy forwards, and the scheme behind it. */
    private static final int FIRST_BYTES = 64;

    private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long CHECK_MILLIS = 1_000;

    private final Broxy broxy;
    private final ProxyHandler handler;
    private final HostPort server;
    private final DirectDialer dialer;
    private final ServerSocketChannel listener;
    private final Selector selector;
    private final Thread thread;
    private final List<Decided> decided = new ArrayList<>();

    private SharedPort(Broxy broxy, ProxyHandler handler, HostPort server, ServerSocketChannel listener)
            throws IOException {
        this.broxy = broxy;
        this.handler = handler;
        this.server = server;
        this.dialer = broxy.directDialer().build();
        this.listener = listener;
        this.selector = Selector.open();
        this.thread = new Thread(this::run, "shared-port");
    }

    /**
     * Listens.
     *
     * @param server where the server listens that gets all other connections; {@code Broxy.declareListener} keeps proxy clients
     *     away from it
     */
    public static SharedPort start(SocketAddress address, Broxy broxy, ProxyHandler handler, HostPort server)
            throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open().bind(address, 1_024);
        SharedPort port = new SharedPort(broxy, handler, server, listener);
        listener.configureBlocking(false).register(port.selector, SelectionKey.OP_ACCEPT);
        port.thread.start();
        return port;
    }

    /** Where it listens. */
    public InetSocketAddress address() throws IOException {
        return (InetSocketAddress) listener.getLocalAddress();
    }

    // ------------------------------------------------------------------ the thread

    /** The first bytes of a client. Threading: for the thread. */
    private record First(ByteBuffer bytes, long deadlineNanos) {}

    /** A client that is to be passed on. Threading: for the thread. */
    private record Decided(SocketChannel client, ByteBuffer alreadyRead, boolean proxied) {}

    private void run() {
        try {
            while (listener.isOpen()) {
                selector.select(this::ready, CHECK_MILLIS);
                dropLateClients();
                passDecided();
            }
        } catch (IOException e) {
            log.error("the port cannot be served any more", e);
        } finally {
            selector.keys().forEach(key -> close((AutoCloseable) key.channel()));
            decided.forEach(client -> close(client.client()));
            close(selector);
        }
    }

    private void ready(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                accept();
            } else {
                read(key, (SocketChannel) key.channel(), (First) key.attachment());
            }
        } catch (IOException | RuntimeException e) { // a client has gone, or there is no descriptor left
            log.debug("a client is dropped", e);
            if (key.channel() != listener) {
                close((AutoCloseable) key.channel());
            }
        }
    }

    private void accept() throws IOException {
        SocketChannel client = listener.accept();
        if (client != null) {
            client.configureBlocking(false);
            First first = new First(ByteBuffer.allocate(FIRST_BYTES), System.nanoTime() + TIMEOUT_NANOS);
            client.register(selector, SelectionKey.OP_READ, first);
        }
    }

    private void read(SelectionKey key, SocketChannel client, First first) throws IOException {
        if (client.read(first.bytes()) < 0) {
            client.close();
            return;
        }
        String text = ISO_8859_1.decode(first.bytes().duplicate().flip()).toString();
        int space = text.indexOf(' ');
        boolean enough = space >= 0 && text.length() >= space + 1 + "http://".length();
        if (enough || !first.bytes().hasRemaining()) {
            key.cancel();
            boolean proxied = text.startsWith("CONNECT ") || text.regionMatches(true, space + 1, "http://", 0, 7);
            decided.add(new Decided(client, first.bytes().flip(), proxied));
        }
    }

    private void passDecided() throws IOException {
        while (!decided.isEmpty()) {
            List<Decided> free = List.copyOf(decided);
            decided.clear();
            selector.selectNow(this::ready); // lets go of the canceled keys
            free.forEach(this::pass);
        }
    }

    private void dropLateClients() {
        long now = System.nanoTime();
        for (SelectionKey key : selector.keys()) {
            if (key.attachment() instanceof First first && first.deadlineNanos() - now <= 0) {
                close((AutoCloseable) key.channel());
            }
        }
    }

    private static void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            log.debug("closing failed", e);
        }
    }

    // ------------------------------------------------------------------ where clients go

    private void pass(Decided to) {
        SocketChannel client = to.client();
        if (to.proxied()) {
            handler.handle(client, to.alreadyRead());
            return;
        }
        dialer.dialAsync(DialRequest.to(server), ForkJoinPool.commonPool()).whenComplete((own, failure) -> {
            if (failure == null) {
                relay(client, own, to.alreadyRead());
            } else {
                log.warn("the server behind the port cannot be reached", failure);
                close(client);
            }
        });
    }

    private void relay(SocketChannel client, Connection own, ByteBuffer alreadyRead) {
        try {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            own.write(alreadyRead);
            broxy.copier().relay(broxy.asConnection(client), own);
        } catch (IOException | RuntimeException e) {
            log.debug("a client is dropped", e);
            close(client);
            close(own);
        }
    }

    /** Stops accepting; connections that were passed on continue. */
    @Override
    public void close() throws IOException {
        listener.close();
        selector.wakeup();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
