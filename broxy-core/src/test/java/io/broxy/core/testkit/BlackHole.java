package io.broxy.core.testkit;

import static org.junit.jupiter.api.Assumptions.abort;

import io.broxy.HostPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** A listener with a full queue, so that a connect to it is neither accepted nor refused. */
public final class BlackHole implements AutoCloseable {
    /** Linux takes one more than the backlog says; other systems round it up. */
    private static final int MOST = 64;

    /** A handshake on the loopback is over when connect returns. */
    private static final long HANDSHAKE_MILLIS = 100;

    private final ServerSocketChannel server = ServerSocketChannel.open();
    private final List<SocketChannel> filling = new ArrayList<>();

    private BlackHole() throws IOException {}

    /** Opens one on a free port of the loopback. */
    public static BlackHole open() throws IOException {
        return open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    /** Opens one; the test is skipped where the system lets no queue be full. */
    public static BlackHole open(InetSocketAddress address) throws IOException {
        BlackHole hole = new BlackHole();
        try {
            hole.server.bind(address, 1);
            while (hole.takesOneMore()) {
                if (hole.filling.size() == MOST) {
                    abort("this system's queue of connections is never full");
                }
            }
            return hole;
        } catch (Throwable e) {
            hole.close();
            throw e;
        }
    }

    private boolean takesOneMore() throws IOException {
        SocketChannel client = SocketChannel.open();
        filling.add(client);
        client.configureBlocking(false);
        if (client.connect(server.getLocalAddress())) {
            return true;
        }
        try (Selector selector = Selector.open()) {
            SelectionKey key = client.register(selector, SelectionKey.OP_CONNECT);
            boolean taken = selector.select(HANDSHAKE_MILLIS) > 0 && client.finishConnect();
            key.cancel();
            return taken;
        }
    }

    /** Where to dial it. */
    public HostPort target() throws IOException {
        InetSocketAddress local = (InetSocketAddress) server.getLocalAddress();
        return HostPort.of(local.getAddress().getHostAddress(), local.getPort());
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (SocketChannel client : filling) {
            client.close();
        }
    }
}
