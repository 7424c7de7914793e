package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The common part of all users' connections: ownership, bytes that were read ahead, a read timeout and one {@link Socket} view.
 * A subclass transfers bytes and closes the transport; its methods are called only while the user owns the connection.
 *
 * <p>Threading: as {@link Connection} says.
 */
public abstract class UserConnection implements ConnectionSocket.Viewed {
    private static final Logger log = LoggerFactory.getLogger(UserConnection.class);

    private final Ownership ownership = new Ownership();
    private final Leftover leftover;
    private final AtomicReference<@Nullable Socket> view = new AtomicReference<>();
    /** The timeout that the {@link Socket} view shows; 0 means without limit. */
    private volatile int readTimeoutMillis;

    protected UserConnection() {
        this.leftover = new Leftover();
    }

    /** Creates the new owner's connection over the same transport, with the same leftover bytes. */
    protected UserConnection(UserConnection detached) {
        this.leftover = detached.leftover;
    }

    // ------------------------------------------------------------------ for subclasses

    /**
     * Reads from the transport.
     *
     * @param limitNanos how long to wait; 0 means without limit
     */
    protected abstract int readTransport(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException;

    /** Reads from the transport with the connection's read timeout. */
    protected int readTransport(ByteBuffer into, Interrupts interrupts) throws IOException {
        return readTransport(into, TimeUnit.MILLISECONDS.toNanos(readTimeoutMillis), interrupts);
    }

    /** Writes all bytes to the transport. */
    protected abstract int writeTransport(ByteBuffer from, Interrupts interrupts) throws IOException;

    /** Ends the output; repeated calls have no effect. */
    protected abstract void endOutput() throws IOException;

    protected abstract boolean isTransportOpen();

    /** Closes the transport properly. */
    protected abstract void closeTransport() throws IOException;

    /** Closes the transport with a reset if possible. */
    protected abstract void resetTransport() throws IOException;

    /** Whether {@link #transport} itself can serve as the socket view while no read-ahead bytes remain. */
    protected boolean showsTransport() {
        return false;
    }

    protected final Leftover leftover() {
        return leftover;
    }

    protected final boolean hasView() {
        return view.get() != null;
    }

    protected final void ensureOwned() throws IOException {
        ownership.ensureOwned();
    }

    // ------------------------------------------------------------------ change of ownership

    /** As {@link Transferable#detach}. */
    public final void detach() throws ClosedChannelException {
        ownership.detach();
    }

    /** As {@link Transferable#reattach}. */
    public final void reattach() {
        ownership.reattach();
    }

    /** As {@link Transferable#unread}. */
    public final void unread(ByteBuffer bytes) {
        leftover.unread(bytes);
    }

    // ------------------------------------------------------------------ bytes

    @Override
    public final int read(ByteBuffer into) throws IOException {
        return read(into, Interrupts.CLOSE);
    }

    @Override
    public final int read(ByteBuffer into, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        return isLeftoverFor(into) ? leftover.read(into) : readTransport(into, interrupts);
    }

    @Override
    public final int readWithin(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        return isLeftoverFor(into) ? leftover.read(into) : readTransport(into, limitNanos, interrupts);
    }

    private boolean isLeftoverFor(ByteBuffer into) {
        return leftover.isPresent() && into.hasRemaining() && isTransportOpen();
    }

    @Override
    public int available() throws IOException {
        return leftover.remaining() + transport().getInputStream().available();
    }

    @Override
    public void readTimeout(Duration limit) throws IOException {
        ownership.ensureOwned();
        readTimeoutMillis = TimedReads.millis(limit);
    }

    @Override
    public Duration readTimeout() {
        return Duration.ofMillis(readTimeoutMillis);
    }

    @Override
    public final int write(ByteBuffer from) throws IOException {
        return write(from, Interrupts.CLOSE);
    }

    @Override
    public final int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        return writeTransport(from, interrupts);
    }

    @Override
    public final void shutdownOutput() throws IOException {
        ownership.ensureOwned();
        endOutput();
    }

    // ------------------------------------------------------------------ closing

    @Override
    public final boolean isOpen() {
        return ownership.isOwned() && isTransportOpen();
    }

    @Override
    public final void close() throws IOException {
        if (ownership.end()) {
            closeTransport();
        }
    }

    @Override
    public void abort() {
        if (ownership.end()) {
            try {
                resetTransport();
            } catch (IOException e) {
                log.debug("resetting a connection failed", e);
            }
        }
    }

    // ------------------------------------------------------------------ the socket

    @Override
    public final Socket asSocket() throws IOException {
        ownership.ensureOwned();
        Socket existing = view.get();
        if (existing != null) {
            return existing;
        }
        if (showsTransport() && !leftover.isPresent()) {
            return transport();
        }
        view.compareAndSet(null, ConnectionSocket.over(this));
        return asSocket();
    }

    /** Shows both addresses. */
    @Override
    public String toString() {
        return "Connection[" + localAddress() + " to " + remoteAddress() + "]";
    }
}
