package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Lease;
import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Transferable;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;

/**
 * One of Broxy's connections while it is leased. It references its lease, so a user that keeps only the connection does not
 * leak the lease.
 *
 * <p>Threading: as {@link Connection} says.
 */
final class LeasedConnection implements Transferable {
    private final Transferable connection;

    @SuppressWarnings({"unused", "FieldCanBeLocal"}) // held only to keep it reachable
    private final Lease lease;

    LeasedConnection(Transferable connection, Lease lease) {
        this.connection = connection;
        this.lease = lease;
    }

    @Override
    public void detach() throws ClosedChannelException {
        connection.detach();
    }

    @Override
    public void reattach() {
        connection.reattach();
    }

    @Override
    public Connection detached() {
        return connection.detached();
    }

    @Override
    public void unread(ByteBuffer bytes) {
        connection.unread(bytes);
    }

    @Override
    public boolean renew() {
        return connection.renew();
    }

    @Override
    public boolean hasReadiness() {
        return connection.hasReadiness();
    }

    @Override
    public void unblock() throws IOException {
        connection.unblock();
    }

    @Override
    public LoopConnection onLoop(EventLoop loop) {
        return connection.onLoop(loop);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return connection.read(into);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return connection.write(from);
    }

    @Override
    public void readTimeout(Duration timeout) throws IOException {
        connection.readTimeout(timeout);
    }

    @Override
    public Duration readTimeout() {
        return connection.readTimeout();
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
    public void shutdownOutput() throws IOException {
        connection.shutdownOutput();
    }

    @Override
    public void abort() {
        connection.abort();
    }

    @Override
    public Socket asSocket() throws IOException {
        return connection.asSocket();
    }

    @Override
    public boolean isOpen() {
        return connection.isOpen();
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
