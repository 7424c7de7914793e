package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Ownership;
import io.broxy.core.internal.net.ReadTimeout;
import io.broxy.core.internal.net.Transferable;
import io.broxy.core.internal.socket.ConnectionSocket;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
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
public final class TlsConnection implements Transferable, ConnectionSocket.Viewed {
    private final Connection below;
    private final TlsEngine engine;
    private final TlsResources means;
    private final TlsCallerInput input;
    private final TlsCallerOutput output;
    private final Ownership ownership = new Ownership();
    private final Leftover leftover;
    private final ReentrantLock reading;
    private final ReadTimeout timeout = new ReadTimeout();
    private final AtomicReference<@Nullable Socket> view = new AtomicReference<>();

    /** Takes over a connection whose handshake is done, with what was read too far. */
    TlsConnection(
            Connection below,
            TlsEngine engine,
            TlsResources means,
            @Nullable ByteBuffer ciphertext,
            @Nullable ByteBuffer plaintext) {
        this.below = below;
        this.engine = engine;
        this.means = means;
        this.leftover = new Leftover();
        this.reading = new ReentrantLock();
        this.output = new TlsCallerOutput(below, engine, means.buffers());
        this.input = new TlsCallerInput(below, engine, means, leftover, output, ciphertext);
        if (plaintext != null) {
            leftover.unread(plaintext);
        }
    }

    private TlsConnection(TlsConnection from) {
        below = from.below;
        engine = from.engine;
        means = from.means;
        leftover = from.leftover;
        reading = from.reading;
        output = from.output;
        input = from.input;
    }

    // ------------------------------------------------------------------ changing hands

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
        ByteBuffer plaintext = leftover.takeAll();
        if (plaintext != null) {
            loopInput.unread(plaintext);
        }
        return new TlsLoopConnection(base, engine, means, loopInput, new TlsLoopOutput(base, engine));
    }

    @Override
    public void unread(ByteBuffer bytes) {
        leftover.unread(bytes);
    }

    // ------------------------------------------------------------------ bytes

    @Override
    public int read(ByteBuffer into) throws IOException {
        return read(into, Interrupts.CLOSE);
    }

    @Override
    public int read(ByteBuffer into, Interrupts interrupts) throws IOException {
        return readWithin(into, timeout.nanos(), interrupts);
    }

    @Override
    public int readWithin(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        if (!into.hasRemaining()) {
            return 0;
        }
        reading.lock();
        try {
            int count = input.read(into, limitNanos, interrupts);
            if (count < 0) {
                ownership.ensureOwned(); // the peer's end may be its answer to a close of ours, which is no end of its
                // stream
            }
            return count;
        } finally {
            reading.unlock();
        }
    }

    @Override
    public int available() {
        return leftover.remaining();
    }

    @Override
    public void readTimeout(Duration limit) throws IOException {
        ownership.ensureOwned();
        timeout.set(limit);
    }

    @Override
    public Duration readTimeout() {
        return timeout.get();
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return write(from, Interrupts.CLOSE);
    }

    @Override
    public int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        ownership.ensureOwned();
        return output.write(from, interrupts);
    }

    @Override
    public void shutdownOutput() throws IOException {
        ownership.ensureOwned();
        TlsLoopConnection.refuseHalfCloseBefore13(engine);
        output.shutdown();
    }

    // ------------------------------------------------------------------ ends

    /** What was written has gone out before; the close_notify goes out if the peer takes it in a short time. */
    @Override
    public void close() throws IOException {
        if (ownership.end()) {
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
    }

    @Override
    public void abort() {
        if (ownership.end()) {
            below.abort();
        }
    }

    @Override
    public boolean isOpen() {
        return ownership.isOwned() && below.isOpen();
    }

    // ------------------------------------------------------------------ what it looks like

    @Override
    public SocketAddress localAddress() {
        return below.localAddress();
    }

    @Override
    public SocketAddress remoteAddress() {
        return below.remoteAddress();
    }

    @Override
    public Socket asSocket() throws IOException {
        ownership.ensureOwned();
        Socket existing = view.get();
        if (existing != null) {
            return existing;
        }
        view.compareAndSet(null, ConnectionSocket.over(this));
        return asSocket();
    }

    @Override
    public Socket transport() throws IOException {
        ownership.ensureOwned();
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
