package io.broxy.core.internal.net;

import io.broxy.Connection;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A user's connection over a {@link Socket} without a channel, such as an {@code SSLSocket}, which has streams but no
 * readiness. Interrupts have the effect that the socket gives them.
 *
 * <p>Threading: as {@link Connection} says.
 */
public final class StreamConnection extends UserConnection implements Transferable {
    private static final Logger log = LoggerFactory.getLogger(StreamConnection.class);

    /** The largest plaintext of a TLS record (RFC 8446 section 5.1). */
    private static final int SCRATCH_SIZE = 16 << 10;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final SocketAddress local;
    private final SocketAddress remote;
    private byte[] readScratch = {};
    private byte[] writeScratch = {};

    /**
     * Takes over a connected socket.
     *
     * @throws IOException if it is closed or not connected; the socket is not changed
     */
    public StreamConnection(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
        this.local = socket.getLocalSocketAddress();
        this.remote = socket.getRemoteSocketAddress();
    }

    private StreamConnection(StreamConnection detached) {
        super(detached);
        this.socket = detached.socket;
        this.in = detached.in;
        this.out = detached.out;
        this.local = detached.local;
        this.remote = detached.remote;
    }

    // ------------------------------------------------------------------ change of ownership

    @Override
    public Connection detached() {
        return new StreamConnection(this);
    }

    /** Always false: the former owner may have changed any state of the socket. */
    @Override
    public boolean renew() {
        return false;
    }

    // ------------------------------------------------------------------ I/O and closing

    @Override
    protected int readTransport(ByteBuffer into, Interrupts interrupts) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
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

    @Override
    protected int readTransport(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        return into.hasRemaining() ? TimedReads.read(socket, into, limitNanos) : 0;
    }

    /** Sets the timeout of the socket itself. */
    @Override
    public void readTimeout(Duration limit) throws IOException {
        ensureOwned();
        socket.setSoTimeout(TimedReads.millis(limit));
    }

    @Override
    public Duration readTimeout() {
        try {
            return Duration.ofMillis(socket.getSoTimeout());
        } catch (SocketException e) { // the socket is closed
            return Duration.ZERO;
        }
    }

    @Override
    protected int writeTransport(ByteBuffer from, Interrupts interrupts) throws IOException {
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
    protected void endOutput() throws IOException {
        if (socket.isOutputShutdown()) {
            return;
        }
        try {
            socket.shutdownOutput();
        } catch (UnsupportedOperationException e) {
            SocketException failure = new SocketException("this socket has no half-close");
            failure.initCause(e);
            throw failure;
        }
    }

    @Override
    protected boolean isTransportOpen() {
        return !socket.isClosed();
    }

    @Override
    protected void closeTransport() throws IOException {
        socket.close();
    }

    @Override
    protected void resetTransport() throws IOException {
        try {
            socket.setSoLinger(true, 0); // makes close send RST without waiting
        } catch (IOException | UnsupportedOperationException e) {
            log.debug("resetting a socket failed; it is closed instead", e);
        }
        socket.close();
    }

    // ------------------------------------------------------------------ the socket

    @Override
    protected boolean showsTransport() {
        return true;
    }

    @Override
    public Socket transport() {
        return socket;
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
