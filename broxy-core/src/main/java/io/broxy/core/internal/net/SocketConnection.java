package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.socket.ChangedOptions;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
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
    private final BlockingChannel bytes;
    private final SocketAddress local;
    private final SocketAddress remote;
    private final @Nullable HostPort dialed;
    private final Ownership ownership = new Ownership();
    private final Leftover leftover = new Leftover();
    private final ReadTimeout timeout = new ReadTimeout();
    private final ChangedOptions changed = new ChangedOptions();
    private final AtomicReference<@Nullable Socket> view = new AtomicReference<>();
    /** The peer has ended its stream, and its user has seen it. */
    private volatile boolean peerEnded;

    private volatile boolean outputEnded;

    private SocketConnection(
            BlockingChannel bytes, SocketAddress local, SocketAddress remote, @Nullable HostPort dialed) {
        this.channel = bytes.channel();
        this.bytes = bytes;
        this.local = local;
        this.remote = remote;
        this.dialed = dialed;
    }

    /**
     * Takes over a connected channel that is registered with no selector.
     *
     * @throws IOException if it is closed or not connected; it is closed then
     */
    public static SocketConnection of(SocketChannel channel) throws IOException {
        return of(channel, null);
    }

    /**
     * As {@link #of(SocketChannel)}.
     *
     * @param dialed what it was connected for, which makes the peer's address that of this target; null for none
     */
    public static SocketConnection of(SocketChannel channel, @Nullable HostPort dialed) throws IOException {
        try {
            if (!channel.isOpen()) {
                throw new ClosedChannelException();
            }
            SocketAddress remote = channel.getRemoteAddress();
            if (remote == null) {
                throw new SocketException("the channel is not connected");
            }
            return new SocketConnection(new BlockingChannel(channel), channel.getLocalAddress(), remote, dialed);
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
        SocketConnection given = new SocketConnection(bytes, local, remote, dialed);
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
        bytes.unblock();
    }

    @Override
    public boolean renew() {
        if (peerEnded || outputEnded) {
            return false;
        }
        if (view.get() == null) {
            return true; // nothing was set, and a Unix domain socket's channel has no socket
        }
        try {
            Socket socket = channel.socket();
            return !socket.isInputShutdown() && changed.undo(socket);
        } catch (IOException e) {
            log.debug("a connection is not as it was", e);
            return false;
        }
    }

    @Override
    public LoopConnection onLoop(EventLoop loop) {
        LoopSocket socket = new LoopSocket(loop, channel).dialed(dialed);
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
        return read(into, Interrupts.CLOSE);
    }

    @Override
    public int read(ByteBuffer into, Interrupts interrupts) throws IOException {
        return readWithin(into, timeout.nanos(), interrupts);
    }

    @Override
    public int readWithin(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        if (leftover.isPresent() && into.hasRemaining()) {
            return leftover.read(into);
        }
        int count = bytes.read(into, limitNanos, interrupts);
        if (count < 0) {
            peerEnded = true;
        }
        return count;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return write(from, Interrupts.CLOSE);
    }

    @Override
    public int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        return bytes.write(from, interrupts);
    }

    @Override
    public void readTimeout(Duration limit) throws IOException {
        ownership.ensureOwned();
        timeout.set(limit);
    }

    @Override
    public Duration readTimeout() {
        return timeout.get();
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
        outputEnded = true;
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
                bytes.close();
            } catch (IOException e) {
                log.debug("closing a connection failed", e);
            }
        }
    }

    @Override
    public Socket asSocket() throws IOException {
        ownership.ensureOwned();
        Socket existing = view.get();
        if (existing != null) {
            return existing;
        }
        view.compareAndSet(null, ConnectionSocket.over(this));
        return asSocket();
    }

    @Override
    public int available() throws IOException {
        return leftover.remaining() + channel.socket().getInputStream().available();
    }

    @Override
    public Socket transport() throws IOException {
        ownership.ensureOwned();
        return channel.socket();
    }

    @Override
    public boolean sendsUrgentData() {
        return true;
    }

    @Override
    public void changing(SocketOption<?> option) throws IOException {
        changed.remember(transport(), option);
    }

    @Override
    public @Nullable HostPort dialed() {
        return dialed;
    }

    @Override
    public boolean isOpen() {
        return ownership.isOwned() && channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        if (ownership.end()) {
            bytes.close();
        }
    }

    /** Names both addresses. */
    @Override
    public String toString() {
        return "Connection[" + local + " to " + remote + "]";
    }
}
