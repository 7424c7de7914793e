package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.net.Below;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A TLS handshake on the caller's thread, with a deadline. Threading: for one thread. */
final class TlsCallerHandshake {
    private static final Logger log = LoggerFactory.getLogger(TlsCallerHandshake.class);

    /** How long a peer may take to read why and to end; the caller waits for it. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Connection below;
    private final TlsEngine engine;
    private final TlsResources means;
    private final long deadlineNanos;
    private final ByteBuffer in = ByteBuffer.allocate(TlsEngine.RECORD_SIZE).limit(0);
    private final ByteBuffer out = ByteBuffer.allocate(TlsEngine.RECORD_SIZE);

    TlsCallerHandshake(Connection below, TlsEngine engine, TlsResources means, long deadlineNanos) {
        this.below = below;
        this.engine = engine;
        this.means = means;
        this.deadlineNanos = deadlineNanos;
    }

    /** Gives the secure connection, or closes the one below. */
    TlsConnection run() throws IOException {
        try {
            exchange();
        } catch (SSLException e) {
            sayWhy();
            close(e);
            throw e;
        } catch (IOException | RuntimeException e) {
            close(e);
            throw e;
        }
        ByteBuffer rest = in.hasRemaining() ? Leftover.copy(in) : null;
        return new TlsConnection(below, engine, means, rest, null);
    }

    private void exchange() throws IOException {
        while (true) {
            TlsEngine.Step step = engine.handshake(in, out.clear());
            flush();
            switch (step) {
                case DONE -> {
                    return;
                }
                case INPUT -> fill();
                case TASK -> engine.runTasks();
                default -> {} // the buffer was full
            }
        }
    }

    private void flush() throws IOException {
        out.flip();
        Below.write(below, out, Interrupts.CLOSE);
    }

    private void fill() throws IOException {
        int count;
        try {
            count = readUntil(deadlineNanos);
        } catch (SocketTimeoutException e) {
            SocketTimeoutException late = new SocketTimeoutException(
                    "the TLS handshake with " + below.remoteAddress() + " did not end in its time");
            late.initCause(e);
            throw late;
        }
        if (count < 0) {
            throw new SSLHandshakeException("the peer ended the connection within the TLS handshake");
        }
    }

    private int readUntil(long endNanos) throws IOException {
        long left = endNanos - means.ticker().nanos();
        if (left <= 0) {
            throw new SocketTimeoutException("the time is over");
        }
        in.compact();
        try {
            return Below.read(below, in, left, Interrupts.CLOSE);
        } finally {
            in.flip();
        }
    }

    /**
     * The alert that tells the peer why, if there is one. As in {@link LingeringClose}, what the peer was about to send is
     * read and dropped first, for a reset would destroy the alert.
     */
    private void sayWhy() {
        try {
            engine.encryptOwn(out.clear());
            flush();
            below.shutdownOutput();
            long linger = means.ticker().nanos() + LINGER_NANOS;
            do {
                in.clear().flip();
            } while (readUntil(linger - deadlineNanos < 0 ? linger : deadlineNanos) >= 0);
        } catch (IOException e) {
            log.debug("a TLS alert could not be sent, or its reader does not end", e);
        }
    }

    private void close(Exception failure) {
        try {
            below.close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
