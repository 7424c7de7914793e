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
 * A TLS connection as its user sees it, over any other connection.
 *
 * <p>{@link #read} gives -1 only for the peer's close_notify; an end of the connection below without one is an
 * {@link javax.net.ssl.SSLException}. {@link #shutdownOutput} works from TLS 1.3 on and is refused before, see
 * {@link TlsLoopConnection}.
 *
 * <p>Threading: as {@link Connection} says. A lock for each direction lets one thread read while another writes.
 */
public final class TlsConnection extends UserConnection implements Transferable {
    private final Connection below;
    private final TlsEngine engine;
    private final TlsResources means;
    private final TlsCallerInput input;
    private final TlsCallerOutput output;
    private final ReentrantLock reading;

    /** Takes over a connection whose handshake is done, with the bytes that were read too far. */
    TlsConnection(Connection below, TlsEngine engine, TlsResources means, ByteBuffer ciphertext, ByteBuffer plaintext) {
        this.below = below;
        this.engine = engine;
        this.means = means;
        this.reading = new ReentrantLock();
        this.output = new TlsCallerOutput(below, engine, means.buffers());
        this.input = new TlsCallerInput(below, engine, means, leftover(), output, ciphertext);
        unread(plaintext);
    }

    private TlsConnection(TlsConnection detached) {
        super(detached);
        below = detached.below;
        engine = detached.engine;
        means = detached.means;
        reading = detached.reading;
        output = detached.output;
        input = detached.input;
    }

    // ------------------------------------------------------------------ changing hands

    @Override
    public Connection detached() {
        return new TlsConnection(this);
    }

    @Override
    public boolean hasReadiness() {
        return below instanceof Transferable own && own.hasReadiness();
    }

    @Override
    public boolean renew() {
        return !output.isShut() && !engine.inputEnded() && transferable().renew();
    }

    private Transferable transferable() {
        if (below instanceof Transferable own) {
            return own;
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
        TlsLoopInput loopInput = new TlsLoopInput(base, engine);
        ByteBuffer ciphertext = input.takeCiphertext();
        if (ciphertext != null) {
            loopInput.unreadCiphertext(ciphertext);
        }
        loopInput.plaintext().unread(leftover().takeAll());
        return new TlsLoopConnection(base, engine, means, loopInput, new TlsLoopOutput(base, engine));
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
                ensureOwned(); // the peer may have answered a close of ours, which does not end its stream
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

    // ------------------------------------------------------------------ ends

    @Override
    protected boolean isTransportOpen() {
        return below.isOpen();
    }

    /** Written bytes have gone out before; the close_notify goes out if the peer takes it in a short time. */
    @Override
    protected void closeTransport() throws IOException {
        output.sayGoodbye();
        if (reading.tryLock()) {
            try {
                input.discardWhatHasCome();
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

    /** Names the version and the connection below. */
    @Override
    public String toString() {
        return engine.protocol() + " over " + below;
    }
}
