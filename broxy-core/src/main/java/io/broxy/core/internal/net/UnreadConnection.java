package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;

/**
 * Wraps a third-party connection and prepends bytes that were read ahead from it. That connection decides on the effect of
 * interrupts.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class UnreadConnection extends UserConnection {
    private final Connection connection;

    private UnreadConnection(Connection connection, ByteBuffer rest) {
        this.connection = connection;
        unread(rest);
    }

    /** Wraps a connection; reads return a copy of these bytes first. */
    public static Connection of(Connection connection, ByteBuffer rest) {
        if (!rest.hasRemaining()) {
            return connection;
        }
        if (connection instanceof Transferable transferable) {
            transferable.unread(rest);
            return transferable;
        }
        return new UnreadConnection(connection, rest);
    }

    @Override
    protected int readTransport(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        return UnderlyingConnection.read(connection, into, into.hasRemaining() ? limitNanos : 0, interrupts);
    }

    @Override
    protected int writeTransport(ByteBuffer from, Interrupts interrupts) throws IOException {
        return UnderlyingConnection.write(connection, from, interrupts);
    }

    @Override
    protected void endOutput() throws IOException {
        connection.shutdownOutput();
    }

    @Override
    protected boolean isTransportOpen() {
        return connection.isOpen();
    }

    @Override
    protected void closeTransport() throws IOException {
        connection.close();
    }

    @Override
    protected void resetTransport() {
        connection.abort();
    }

    /** Resets even after a close, since the close of a third-party connection may block until then. */
    @Override
    public void abort() {
        super.abort();
        resetTransport();
    }

    @Override
    protected boolean showsTransport() {
        return true;
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
    public String toString() {
        return connection.toString();
    }
}
