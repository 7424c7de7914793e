package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link SocketChannel} as its user sees it, blocking, until it is closed or {@linkplain #give given away}.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class SocketConnection implements Transferable, ConnectionSocket.Viewed {
    private static final Logger log = LoggerFactory.getLogger(SocketConnection.class);

    private final SocketChannel channel;
    private final SocketAddress local;
    private final SocketAddress remote;
    private final Ownership ownership = new Ownership();
    private final Leftover leftover = new Leftover();
    private final AtomicReference<@Nullable Socket> view = new AtomicReference<>();

    private SocketConnection(SocketChannel channel, SocketAddress local, SocketAddress remote) {
        this.channel = channel;
        this.local = local;
        this.remote = remote;
    }

    /**
     * Takes over a connected channel that is registered with no selector.
     *
     * @throws IOException if it is closed or not connected; it is closed then
     */
    public static SocketConnection of(SocketChannel channel) throws IOException {
        try {
            channel.configureBlocking(true);
            SocketAddress remote = channel.getRemoteAddress();
            if (remote == null) {
                throw new SocketException("the channel is not connected");
            }
            return new SocketConnection(channel, channel.getLocalAddress(), remote);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public void give() throws ClosedChannelException {
        ownership.give();
    }

    @Override
    public void takeBack() {
        ownership.takeBack();
    }

    @Override
    public Connection given() {
        SocketConnection given = new SocketConnection(channel, local, remote);
        ByteBuffer rest = leftover.takeAll();
        if (rest != null) {
            given.unread(rest);
        }
        return given;
    }

    @Override
    public void unread(ByteBuffer bytes) {
        leftover.unread(bytes);
    }

    @Override
    public boolean hasReadiness() {
        return true;
    }

    @Override
    public void unblock() throws IOException {
        channel.configureBlocking(false);
    }

    @Override
    public LoopConnection onLoop(EventLoop loop) {
        LoopSocket socket = new LoopSocket(loop, channel);
        ByteBuffer rest = leftover.takeAll();
        if (rest != null) {
            socket.unread(rest);
        }
        return socket;
    }

    /** Whether this and another are views of one channel. */
    public boolean sharesChannelWith(SocketConnection other) {
        return channel == other.channel;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        ownership.ensureOwned();
        return leftover.isPresent() && into.hasRemaining() ? leftover.read(into) : channel.read(into);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        ownership.ensureOwned();
        return channel.write(from);
    }

    @Override
    public SocketAddress localAddress() {
        return local;
    }

    @Override
    public SocketAddress remoteAddress() {
        return remote;
    }

    @Override
    public void shutdownOutput() throws IOException {
        ownership.ensureOwned();
        channel.shutdownOutput();
    }

    @Override
    public void abort() {
        if (ownership.end()) {
            try {
                channel.setOption(StandardSocketOptions.SO_LINGER, 0); // makes close send RST
            } catch (IOException | UnsupportedOperationException e) { // a Unix domain socket has no resets
                log.debug("a connection is closed without a reset", e);
            }
            try {
                channel.close();
            } catch (IOException e) {
                log.debug("closing a connection failed", e);
            }
        }
    }

    /** The channel's own, unless bytes are left over that only this connection knows of. */
    @Override
    public Socket asSocket() throws IOException {
        ownership.ensureOwned();
        Socket existing = view.get();
        if (existing != null || !leftover.isPresent()) {
            return existing != null ? existing : channel.socket();
        }
        view.compareAndSet(null, ConnectionSocket.over(this));
        return asSocket();
    }

    @Override
    public int readWithin(ByteBuffer into, int timeoutMillis) throws IOException {
        if (timeoutMillis == 0 || leftover.isPresent() || !into.hasRemaining()) {
            return read(into);
        }
        ownership.ensureOwned();
        return TimedReads.read(channel.socket(), into, timeoutMillis);
    }

    @Override
    public int available() throws IOException {
        return leftover.remaining() + channel.socket().getInputStream().available();
    }

    @Override
    public Socket transport() {
        return channel.socket();
    }

    @Override
    public boolean isOpen() {
        return ownership.isOwned() && channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        if (ownership.end()) {
            channel.close();
        }
    }

    /** Names both addresses. */
    @Override
    public String toString() {
        return "Connection[" + local + " to " + remote + "]";
    }
}
