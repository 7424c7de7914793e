package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A connection that somebody else wrote, with bytes before those that it yields itself: what was read of it too far.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class UnreadConnection implements ConnectionSocket.Viewed {
    private final Connection connection;
    private final Leftover leftover = new Leftover();
    private final ReadTimeout timeout = new ReadTimeout();
    private final AtomicReference<@Nullable Socket> view = new AtomicReference<>();

    private UnreadConnection(Connection connection, ByteBuffer rest) {
        this.connection = connection;
        leftover.unread(rest);
    }

    /** The connection with these bytes, which are copied, before all others. */
    public static Connection of(Connection connection, ByteBuffer rest) {
        if (!rest.hasRemaining()) {
            return connection;
        }
        if (connection instanceof Transferable own) {
            own.unread(rest);
            return own;
        }
        return new UnreadConnection(connection, rest);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return read(into, Interrupts.CLOSE);
    }

    @Override
    public int read(ByteBuffer into, Interrupts interrupts) throws IOException {
        return readWithin(into, timeout.nanos(), interrupts);
    }

    private boolean isLeftoverFor(ByteBuffer into) {
        return leftover.isPresent() && into.hasRemaining() && connection.isOpen();
    }

    /** What an interrupt does is the other connection's choice. */
    @Override
    public int readWithin(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        if (isLeftoverFor(into)) {
            return leftover.read(into);
        }
        return limitNanos == 0 || !into.hasRemaining()
                ? connection.read(into)
                : TimedReads.read(transport(), into, limitNanos);
    }

    @Override
    public void readTimeout(Duration limit) throws IOException {
        timeout.set(limit);
    }

    @Override
    public Duration readTimeout() {
        return timeout.get();
    }

    @Override
    public int available() throws IOException {
        return leftover.remaining() + transport().getInputStream().available();
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return write(from, Interrupts.CLOSE);
    }

    /** The other connection may break its contract and write only a part. */
    @Override
    public int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        return FullWrites.write(connection, from);
    }

    @Override
    public void shutdownOutput() throws IOException {
        connection.shutdownOutput();
    }

    /** The connection's own, unless bytes are left over that only this one knows of. */
    @Override
    public Socket asSocket() throws IOException {
        Socket existing = view.get();
        if (existing != null || !leftover.isPresent()) {
            return existing != null ? existing : connection.asSocket();
        }
        view.compareAndSet(null, ConnectionSocket.over(this));
        return asSocket();
    }

    @Override
    public Socket transport() throws IOException {
        return connection.asSocket();
    }

    @Override
    public SocketAddress localAddress() {
        return connection.localAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return connection.remoteAddress();
    }

    @Override
    public boolean isOpen() {
        return connection.isOpen();
    }

    @Override
    public void abort() {
        connection.abort();
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }

    @Override
    public String toString() {
        return connection.toString();
    }
}
