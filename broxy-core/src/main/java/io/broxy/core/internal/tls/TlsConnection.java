package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.net.UserConnection;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A user's TLS connection over any other connection.
 *
 * <p>{@link #read} returns -1 only for the peer's close_notify; if the underlying stream ends without one, it throws an {@link
 * javax.net.ssl.SSLException}. {@link #shutdownOutput} requires TLS 1.3; see {@link TlsLoopConnection}.
 *
 * <p>Threading: as {@link Connection} says. A lock for each direction lets one thread read while another writes.
 */
public final class TlsConnection extends UserConnection implements Transferable {
    private final Connection below;
    private final TlsEngine engine;
    private final TlsResources resources;
    private final TlsCallerInput input;
    private final TlsCallerOutput output;
    private final ReentrantLock reading;

    /** Takes over a connection after the handshake, with the bytes that were read ahead. */
    TlsConnection(
            Connection below, TlsEngine engine, TlsResources resources, ByteBuffer ciphertext, ByteBuffer plaintext) {
        this.below = below;
        this.engine = engine;
        this.resources = resources;
        this.reading = new ReentrantLock();
        this.output = new TlsCallerOutput(below, engine, resources.buffers());
        this.input = new TlsCallerInput(below, engine, resources, leftover(), output, ciphertext);
        unread(plaintext);
    }

    private TlsConnection(TlsConnection detached) {
        super(detached);
        below = detached.below;
        engine = detached.engine;
        resources = detached.resources;
        reading = detached.reading;
        output = detached.output;
        input = detached.input;
    }

    // ------------------------------------------------------------------ change of ownership

    @Override
    public Connection detached() {
        return new TlsConnection(this);
    }

    @Override
    public boolean hasReadiness() {
        return below instanceof Transferable transferable && transferable.hasReadiness();
    }

    @Override
    public boolean renew() {
        return !output.isShut() && !engine.inputEnded() && transferable().renew();
    }

    private Transferable transferable() {
        if (below instanceof Transferable transferable) {
            return transferable;
        }
        throw new UnsupportedOperationException("the connection under TLS has no readiness");
    }

    @Override
    public void unblock() throws IOException {
        transferable().unblock();
    }

    @Override
    public LoopConnection onLoop(EventLoop loop) {
        LoopConnection base = transferable().onLoop(loop);
        return TlsLoopConnection.resume(
                base, engine, resources, input.takeCiphertext(), leftover().takeAll());
    }

    // ------------------------------------------------------------------ bytes

    @Override
    protected int readTransport(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
        }
        reading.lock();
        try {
            int count = input.read(into, limitNanos, interrupts);
            if (count < 0) {
                ensureOwned(); // the peer may have answered our close, which does not end its transferable stream
            }
            return count;
        } finally {
            reading.unlock();
        }
    }

    @Override
    public int available() {
        return leftover().remaining();
    }

    @Override
    protected int writeTransport(ByteBuffer from, Interrupts interrupts) throws IOException {
        return output.write(from, interrupts);
    }

    @Override
    protected void endOutput() throws IOException {
        TlsLoopConnection.refuseHalfCloseBefore13(engine);
        output.shutdown();
    }

    // ------------------------------------------------------------------ closing

    @Override
    protected boolean isTransportOpen() {
        return below.isOpen();
    }

    /**
     * Closes the transport. Written bytes were already sent; the close_notify is sent if the peer accepts it within a short
     * time.
     */
    @Override
    protected void closeTransport() throws IOException {
        output.sendCloseNotify();
        if (reading.tryLock()) {
            try {
                input.discardAvailable();
            } finally {
                reading.unlock();
            }
        }
        below.close();
    }

    @Override
    protected void resetTransport() {
        below.abort();
    }

    // ------------------------------------------------------------------ addresses and the socket

    @Override
    public SocketAddress localAddress() {
        return below.localAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return below.remoteAddress();
    }

    @Override
    public Socket transport() throws IOException {
        ensureOwned();
        return below.asSocket();
    }

    @Override
    public @Nullable HostPort dialed() {
        return below instanceof ConnectionSocket.Viewed viewed ? viewed.dialed() : null;
    }

    /** Shows the version and the underlying connection. */
    @Override
    public String toString() {
        return engine.protocol() + " over " + below;
    }
}
