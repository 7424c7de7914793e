package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link SocketChannel} on its loop. It is registered only when a handler first waits for readiness, so a short exchange that
 * never waits does not involve the selector.
 *
 * <p>Threading: owned by its event loop.
 */
public final class LoopSocket extends DrivenSocket {
    private static final Logger log = LoggerFactory.getLogger(LoopSocket.class);

    private final SocketChannel channel;
    private @Nullable SelectionKey key;
    private boolean outputEnded;
    private @Nullable BreakProbe probe;
    private @Nullable HostPort dialed;

    /** Takes over a connected channel. */
    public LoopSocket(EventLoop loop, SocketChannel channel) {
        super(loop);
        this.channel = channel;
    }

    /** Takes over a connected channel that was registered with the loop for connecting. */
    public LoopSocket(EventLoop loop, SocketChannel channel, SelectionKey key) {
        this(loop, channel);
        this.key = key;
        loop.interest(key, 0);
    }

    /** Records the target that the connection was dialed for, whose host becomes part of the peer's address; null for none. */
    public LoopSocket dialed(@Nullable HostPort target) {
        dialed = target;
        return this;
    }

    @Override
    public void handler(ChannelEvents handler) {
        super.handler(handler);
        if (key != null && !isProbed()) {
            key.attach(handler);
        }
    }

    private boolean isProbed() {
        return probe != null && probe.broken != null;
    }

    @Override
    public void interest(int ops) throws IOException {
        assert loop.inLoop();
        if (ops == interest || !isOpen()) {
            return;
        }
        if (key == null) {
            key = loop.register(channel, ops, handler());
        } else {
            loop.interest(key, isProbed() ? ops | SelectionKey.OP_CONNECT : ops);
        }
        interest = ops;
        checkUnseen();
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return leftover.isPresent() ? leftover.read(into) : channel.read(into);
    }

    @Override
    protected int writeDirect(ByteBuffer from) throws IOException {
        return channel.write(from);
    }

    @Override
    public void shutdownOutput() throws IOException {
        outputEnded = true;
        channel.shutdownOutput();
    }

    @Override
    public void lookForBreak(Consumer<IOException> broken) {
        assert loop.inLoop();
        if (!isOpen() || outputEnded || isProbed()) {
            return;
        }
        if (probe == null) {
            probe = new BreakProbe();
        }
        probe.start(broken);
    }

    /**
     * One check whether the socket has broken. A selector reports nothing for a socket without interest, and a read reports a
     * reset only after all bytes that arrived before it. But a connected socket that is registered for {@code OP_CONNECT}
     * becomes ready only on a hang-up. During that time the kernel wakes the selector because the socket is writable, so a
     * probe lasts only one select.
     *
     * <p>Threading: owned by the event loop.
     */
    private final class BreakProbe implements ChannelEvents, Runnable {
        /** Null if no probe is in progress. */
        private @Nullable Consumer<IOException> broken;
        /** The first task runs in the turn that started the probe, the second after the select of the next turn. */
        private boolean selected;

        /** Redirects the channel's readiness here, where everything except a break is passed on to the handler. */
        void start(Consumer<IOException> receiver) {
            broken = receiver;
            selected = false;
            int ops = interest | SelectionKey.OP_CONNECT;
            try {
                if (key == null) {
                    key = loop.register(channel, ops, this);
                } else {
                    key.attach(this);
                    loop.interest(key, ops);
                }
            } catch (IOException e) {
                log.debug("a connection was closed by another thread; its next read or write fails", e);
            }
            loop.execute(this);
        }

        @Override
        public void run() {
            if (broken == null || loop.isStopping()) {
                return;
            }
            if (selected) {
                end();
            } else {
                selected = true;
                loop.execute(this);
            }
        }

        /** Restores the handler as the receiver of readiness. */
        private void end() {
            broken = null;
            if (isOpen() && key != null && key.isValid()) {
                loop.interest(key, interest);
                key.attach(handler());
            }
        }

        @Override
        public void ready(int readyOps) {
            Consumer<IOException> receiver = broken;
            if ((readyOps & SelectionKey.OP_CONNECT) == 0 || receiver == null) {
                handler().ready(readyOps);
                return;
            }
            end();
            receiver.accept(failureOfWrite());
        }

        @Override
        public void abandoned(Throwable cause) {
            handler().abandoned(cause);
        }
    }

    @Override
    public void close() {
        assert loop.inLoop();
        if (!isOpen()) {
            return;
        }
        over();
        leftover.release();
        if (key != null) {
            loop.close(key);
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("closing a connection failed", e);
        }
    }

    @Override
    public void abort() {
        if (isOpen()) {
            resetOnClose(channel);
            close();
        }
    }

    /** Makes closing the channel send RST. */
    static void resetOnClose(SocketChannel channel) {
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException | UnsupportedOperationException e) { // a Unix domain socket has no resets
            log.debug("resetting a connection failed; it is closed instead", e);
        }
    }

    @Override
    public SocketAddress remoteAddress() {
        try {
            return channel.getRemoteAddress(); // a Unix domain socket has no Socket view
        } catch (IOException e) {
            throw new UncheckedIOException("a closed connection has no address", e);
        }
    }

    @Override
    public @Nullable SocketAddress localAddress() {
        try {
            return channel.getLocalAddress();
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
        assert loop.inLoop();
        over();
        ByteBuffer rest = leftover.takeAll();
        SelectionKey registration = key;
        if (registration == null) {
            passToUser(rest, ready, failed);
        } else {
            loop.release(registration, () -> passToUser(rest, ready, failed));
        }
    }

    private void passToUser(ByteBuffer rest, Consumer<Connection> ready, Consumer<IOException> failed) {
        SocketConnection connection;
        try {
            connection = SocketConnection.of(channel, dialed);
            connection.unread(rest);
        } catch (IOException e) {
            failed.accept(e);
            return;
        }
        ready.accept(connection);
    }
}
