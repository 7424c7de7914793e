package io.broxy.core.internal.loop;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Accepts connections at an NIO channel.
 *
 * <p>Threading: owned by its event loop.
 */
public final class ChannelAcceptor extends Acceptor<SocketChannel> implements ChannelEvents {
    private final ServerSocketChannel server;
    private final Accepting accepting;
    private final AtClose atClose;
    private @Nullable SelectionKey key;

    /** What becomes of the server's channel when the acceptor closes. */
    public enum AtClose {
        /** It is closed, after the connections in its queue have been accepted. */
        CLOSE,
        /** It stays open with its queue, which another process shares. */
        LEAVE_OPEN
    }

    /** Takes a connection out of the server's queue. */
    @FunctionalInterface
    interface Accepting {
        /** The next connection, or null for none. */
        @Nullable
        SocketChannel accept() throws IOException;
    }

    /**
     * As the constructor of {@link Acceptor}.
     *
     * @param server bound and non-blocking
     */
    public ChannelAcceptor(
            EventLoop loop,
            ServerSocketChannel server,
            Consumer<SocketChannel> accepted,
            AtClose atClose,
            Runnable closed) {
        this(loop, server, server::accept, accepted, atClose, closed);
    }

    ChannelAcceptor(
            EventLoop loop,
            ServerSocketChannel server,
            Accepting accepting,
            Consumer<SocketChannel> accepted,
            AtClose atClose,
            Runnable closed) {
        super(loop, accepted, closed);
        this.server = server;
        this.accepting = accepting;
        this.atClose = atClose;
    }

    @Override
    protected void register() throws IOException {
        key = loop.register(server, SelectionKey.OP_ACCEPT, this);
    }

    @Override
    protected void await(boolean connections) {
        if (key != null && key.isValid()) {
            loop.interest(key, connections ? SelectionKey.OP_ACCEPT : 0);
        }
    }

    @Override
    protected void deregister(Runnable then) {
        if (key != null) {
            loop.release(key, then);
        }
    }

    @Override
    protected @Nullable SocketChannel accept() throws IOException {
        return accepting.accept();
    }

    @Override
    protected boolean staysOpen() {
        return atClose == AtClose.LEAVE_OPEN;
    }

    @Override
    protected void closeServer() throws IOException {
        server.close();
    }

    @Override
    public void ready(int readyOps) {
        acceptReady();
    }

    /** Whether it waits for clients; false during a pause. */
    boolean isAccepting() {
        assert loop.inLoop();
        return key != null && key.isValid() && key.interestOps() != 0;
    }

    @Override
    public void abandoned(Throwable cause) {
        close();
    }
}
