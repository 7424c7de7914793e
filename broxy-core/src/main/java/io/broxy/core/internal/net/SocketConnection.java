package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.socket.ChangedOptions;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A user's connection over a {@link SocketChannel}.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class SocketConnection extends UserConnection implements Transferable {
    private static final Logger log = LoggerFactory.getLogger(SocketConnection.class);

    private final SocketChannel channel;
    private final BlockingChannel bytes;
    private final SocketAddress local;
    private final SocketAddress remote;
    private final @Nullable HostPort dialed;
    private final ChangedOptions changed = new ChangedOptions();
    /** Whether the user has read the end of the peer's stream. */
    private volatile boolean peerEnded;

    private volatile boolean outputEnded;

    private SocketConnection(SocketChannel channel, SocketAddress remote, @Nullable HostPort dialed)
            throws IOException {
        this.channel = channel;
        this.bytes = new BlockingChannel(channel);
        this.local = channel.getLocalAddress();
        this.remote = remote;
        this.dialed = dialed;
    }

    private SocketConnection(SocketConnection detached) {
        super(detached);
        this.channel = detached.channel;
        this.bytes = detached.bytes;
        this.local = detached.local;
        this.remote = detached.remote;
        this.dialed = detached.dialed;
    }

    /**
     * Takes over a connected channel that is registered with no selector.
     *
     * @throws IOException if it is closed or not connected, in which case the channel is closed
     */
    public static SocketConnection of(SocketChannel channel) throws IOException {
        return of(channel, null);
    }

    /**
     * As {@link #of(SocketChannel)}.
     *
     * @param dialed the target that it was connected for, whose host becomes part of the peer's address; null for none
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
            return new SocketConnection(channel, remote, dialed);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Whether this and the other connection use the same channel. */
    public boolean sharesChannelWith(SocketConnection other) {
        return channel == other.channel;
    }

    /** Makes the channel send small writes at once, as its loop makes few. */
    public void sendAtOnce() throws IOException {
        if (channel.supportedOptions()
                .contains(StandardSocketOptions.TCP_NODELAY)) { // a Unix domain socket delays nothing
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
    }

    // ------------------------------------------------------------------ change of ownership

    @Override
    public Connection detached() {
        return new SocketConnection(this);
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
        if (!hasView()) {
            return true; // no option was changed; also, a channel of a Unix domain socket has no Socket view
        }
        try {
            Socket socket = channel.socket();
            return !socket.isInputShutdown() && changed.undo(socket);
        } catch (IOException e) {
            log.debug("the options of a connection cannot be restored", e);
            return false;
        }
    }

    @Override
    public LoopConnection onLoop(EventLoop loop) {
        LoopSocket socket = new LoopSocket(loop, channel).dialed(dialed);
        socket.unread(leftover().takeAll());
        return socket;
    }

    // ------------------------------------------------------------------ I/O and closing

    @Override
    protected int readTransport(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        int count = bytes.read(into, limitNanos, interrupts);
        if (count < 0) {
            peerEnded = true;
        }
        return count;
    }

    @Override
    protected int writeTransport(ByteBuffer from, Interrupts interrupts) throws IOException {
        return bytes.write(from, interrupts);
    }

    @Override
    protected void endOutput() throws IOException {
        outputEnded = true;
        channel.shutdownOutput();
    }

    @Override
    protected boolean isTransportOpen() {
        return channel.isOpen();
    }

    @Override
    protected void closeTransport() throws IOException {
        bytes.close();
    }

    @Override
    protected void resetTransport() throws IOException {
        LoopSocket.resetOnClose(channel);
        bytes.close();
    }

    // ------------------------------------------------------------------ the socket

    @Override
    public Socket transport() throws IOException {
        ensureOwned();
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
    public SocketAddress localAddress() {
        return local;
    }

    @Override
    public SocketAddress remoteAddress() {
        return remote;
    }
}
