package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link Socket} without a channel, such as an {@code SSLSocket}: it has streams and no readiness.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class StreamConnection implements Transferable, ConnectionSocket.Viewed {
    private static final Logger log = LoggerFactory.getLogger(StreamConnection.class);

    /** A TLS record's most (RFC 8446 section 5.1). */
    private static final int SCRATCH_SIZE = 16 << 10;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final SocketAddress local;
    private final SocketAddress remote;
    private final Ownership ownership = new Ownership();
    private final Leftover leftover = new Leftover();
    private final AtomicReference<@Nullable Socket> view = new AtomicReference<>();
    private byte[] readScratch = {};
    private byte[] writeScratch = {};

    /**
     * Takes over a connected socket.
     *
     * @throws IOException if it is closed or not connected; it is left as it is
     */
    public StreamConnection(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
        this.local = socket.getLocalSocketAddress();
        this.remote = socket.getRemoteSocketAddress();
    }

    private StreamConnection(StreamConnection from) {
        this.socket = from.socket;
        this.in = from.in;
        this.out = from.out;
        this.local = from.local;
        this.remote = from.remote;
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
        StreamConnection given = new StreamConnection(this);
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

    /** A time-out that the socket's former owner has set must not cut a peer that is only silent. */
    public void readWithoutTimeout() {
        try {
            socket.setSoTimeout(0);
        } catch (IOException e) {
            log.debug("a socket's read time-out stays, for the socket is closed", e);
        }
    }

    @Override
    public boolean renew() {
        return false; // nobody knows what was done to the socket
    }

    @Override
    public boolean hasReadiness() {
        return false;
    }

    @Override
    public void unblock() {
        throw new UnsupportedOperationException("a socket with streams alone always blocks");
    }

    @Override
    public LoopConnection onLoop(EventLoop loop) {
        throw new UnsupportedOperationException("a socket with streams alone has no readiness");
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        ownership.ensureOwned();
        if (!into.hasRemaining()) {
            return 0;
        }
        if (leftover.isPresent()) {
            return leftover.read(into);
        }
        if (readScratch.length == 0) {
            readScratch = new byte[SCRATCH_SIZE];
        }
        int count = in.read(readScratch, 0, Math.min(into.remaining(), SCRATCH_SIZE));
        if (count > 0) {
            into.put(readScratch, 0, count);
        }
        return count;
    }

    /** What an interrupt does is the socket's choice. */
    @Override
    public int read(ByteBuffer into, Interrupts interrupts) throws IOException {
        return read(into);
    }

    @Override
    public int readWithin(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        if (leftover.isPresent() || !into.hasRemaining()) {
            return read(into);
        }
        ownership.ensureOwned();
        return TimedReads.read(socket, into, limitNanos);
    }

    /** The socket's own time-out. */
    @Override
    public void readTimeout(Duration limit) throws IOException {
        ownership.ensureOwned();
        socket.setSoTimeout(ReadTimeout.millis(limit));
    }

    @Override
    public Duration readTimeout() {
        try {
            return Duration.ofMillis(socket.getSoTimeout());
        } catch (SocketException e) { // it is closed
            return Duration.ZERO;
        }
    }

    @Override
    public int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        return write(from);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        ownership.ensureOwned();
        if (writeScratch.length == 0) {
            writeScratch = new byte[SCRATCH_SIZE];
        }
        int count = from.remaining();
        while (from.hasRemaining()) {
            int step = Math.min(from.remaining(), SCRATCH_SIZE);
            from.get(writeScratch, 0, step);
            out.write(writeScratch, 0, step);
        }
        out.flush();
        return count;
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
        if (socket.isOutputShutdown()) {
            return;
        }
        try {
            socket.shutdownOutput();
        } catch (UnsupportedOperationException e) {
            SocketException failure = new SocketException("this socket cannot end its output alone");
            failure.initCause(e);
            throw failure;
        }
    }

    @Override
    public void abort() {
        if (ownership.end()) {
            try {
                socket.setSoLinger(true, 0); // makes close send RST, and never wait
            } catch (IOException | UnsupportedOperationException e) {
                log.debug("a socket is closed without a reset", e);
            }
            try {
                socket.close();
            } catch (IOException e) {
                log.debug("closing a socket failed", e);
            }
        }
    }

    /** The socket itself, unless bytes are left over that only this connection knows of. */
    @Override
    public Socket asSocket() throws IOException {
        ownership.ensureOwned();
        Socket existing = view.get();
        if (existing != null || !leftover.isPresent()) {
            return existing != null ? existing : socket;
        }
        view.compareAndSet(null, ConnectionSocket.over(this));
        return asSocket();
    }

    @Override
    public int available() throws IOException {
        return leftover.remaining() + in.available();
    }

    @Override
    public Socket transport() {
        return socket;
    }

    @Override
    public boolean isOpen() {
        return ownership.isOwned() && !socket.isClosed();
    }

    @Override
    public void close() throws IOException {
        if (ownership.end()) {
            socket.close();
        }
    }

    /** Names both addresses. */
    @Override
    public String toString() {
        return "Connection[" + local + " to " + remote + "]";
    }
}
