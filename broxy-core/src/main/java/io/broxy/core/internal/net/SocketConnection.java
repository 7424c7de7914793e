package io.broxy.core.internal.net;

import io.broxy.Connection;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link SocketChannel} as its user sees it, blocking, until it is closed or {@linkplain #give given away}.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class SocketConnection implements Transferable {
    private static final Logger log = LoggerFactory.getLogger(SocketConnection.class);

    private final SocketChannel channel;
    private final SocketAddress local;
    private final SocketAddress remote;
    private final Ownership ownership = new Ownership();

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
        return new SocketConnection(channel, local, remote);
    }

    /** The channel, for the owner that this connection was given to. */
    public SocketChannel channel() {
        return channel;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        ownership.ensureOwned();
        return channel.read(into);
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
            } catch (IOException e) {
                log.debug("a connection is closed without a reset", e);
            }
            try {
                channel.close();
            } catch (IOException e) {
                log.debug("closing a connection failed", e);
            }
        }
    }

    @Override
    public Socket asSocket() throws IOException {
        ownership.ensureOwned();
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
