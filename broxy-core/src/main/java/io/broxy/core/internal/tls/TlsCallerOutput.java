package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.net.PeerEndedException;
import io.broxy.core.internal.net.UnderlyingConnection;
import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sending side of a TLS connection on callers' threads.
 *
 * <p>A reading thread may find that the engine must answer. It must not wait for a writing thread, because the peer may accept
 * nothing before its own bytes are read. The reader therefore leaves the answer to the writing thread, unless too many answers
 * are pending.
 *
 * <p>Threading: thread-safe; the lock is held while bytes are sent, because records must not interleave.
 */
final class TlsCallerOutput {
    private static final Logger log = LoggerFactory.getLogger(TlsCallerOutput.class);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** How long closing may wait for a peer that accepts no bytes. */
    private static final long CLOSE_NOTIFY_TIMEOUT_SECONDS = 2;

    /** The maximum number of answers pending in the engine; a peer that causes more is not read until it accepts some. */
    private static final int MAX_PENDING_ANSWERS = 64;

    private final Connection below;
    private final TlsEngine engine;
    private final BufferPool buffers;
    private final ReentrantLock writing = new ReentrantLock();
    private final AtomicInteger pendingAnswers = new AtomicInteger();
    /** Set when a record was sent only in part, so that nothing can follow. */
    private volatile boolean broken;

    private boolean shut; // under the lock

    TlsCallerOutput(Connection below, TlsEngine engine, BufferPool buffers) {
        this.below = below;
        this.engine = engine;
        this.buffers = buffers;
    }

    /** Encrypts and sends all bytes, and returns their number. */
    int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        int count = from.remaining();
        writing.lock();
        try {
            if (shut) {
                throw new ClosedChannelException();
            }
            send(from, interrupts);
        } finally {
            writing.unlock();
        }
        answerIfPending(interrupts);
        return count;
    }

    /** Sends a close_notify and ends the underlying stream; called once. */
    void shutdown() throws IOException {
        writing.lock();
        try {
            if (!shut) {
                shut = true;
                engine.closeOutput();
                send(NOTHING, Interrupts.AS_SOCKETS); // an interrupt does not abort the end of the stream
                below.shutdownOutput();
            }
        } finally {
            writing.unlock();
        }
    }

    /** Whether the stream has been ended. */
    boolean isShut() {
        writing.lock();
        try {
            return shut;
        } finally {
            writing.unlock();
        }
    }

    /** Sends or schedules an answer of the engine; called by the reading thread. */
    void answer(Interrupts interrupts) {
        if (pendingAnswers.incrementAndGet() > MAX_PENDING_ANSWERS) {
            writing.lock();
            try {
                sendPendingAnswers(interrupts);
            } finally {
                writing.unlock();
            }
        }
        answerIfPending(interrupts);
    }

    /** Each release of the lock checks again, so that no answer that becomes due while the lock is held is forgotten. */
    private void answerIfPending(Interrupts interrupts) {
        while (pendingAnswers.get() > 0 && writing.tryLock()) {
            try {
                sendPendingAnswers(interrupts);
            } finally {
                writing.unlock();
            }
        }
    }

    private void sendPendingAnswers(Interrupts interrupts) {
        pendingAnswers.set(0);
        try {
            send(NOTHING, interrupts);
        } catch (IOException e) {
            log.debug("TLS could not answer its peer; the next write will fail", e);
        }
    }

    private void send(ByteBuffer from, Interrupts interrupts) throws IOException {
        if (broken) {
            throw engine.sendingFailed(new SSLException("the TLS connection broke during an earlier write"));
        }
        ByteBuffer pooled = buffers.borrow();
        ByteBuffer batch = TlsEngine.withRoomForRecord(pooled);
        try {
            while (true) {
                TlsEngine.Step step = engine.encrypt(from, batch.clear());
                flush(batch.flip(), interrupts);
                switch (step) {
                    case DONE -> {
                        return;
                    }
                    case TASK -> engine.runTasks();
                    case ENDED -> {
                        if (from.hasRemaining()) {
                            throw new PeerEndedException();
                        }
                        return;
                    }
                    case INPUT ->
                        throw new SSLException("the peer's renegotiation must be read before anything is written");
                    default -> {} // the buffer is full
                }
            }
        } finally {
            buffers.giveBack(pooled);
        }
    }

    private void flush(ByteBuffer batch, Interrupts interrupts) throws IOException {
        try {
            UnderlyingConnection.write(below, batch, interrupts);
        } catch (IOException e) {
            broken = true;
            throw engine.sendingFailed(e);
        }
    }

    /** Sends a close_notify if no other thread is writing, and waits only briefly. */
    void sendCloseNotify() {
        if (broken || !writing.tryLock()) {
            return;
        }
        CompletableFuture<Void> closeNotify = new CompletableFuture<>();
        try {
            if (shut) {
                return;
            }
            shut = true;
            closeNotify
                    .orTimeout(CLOSE_NOTIFY_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                    .whenComplete((ok, late) -> {
                        if (late != null) {
                            below.abort();
                        }
                    });
            engine.closeOutput();
            send(NOTHING, Interrupts.AS_SOCKETS);
            below.shutdownOutput();
        } catch (IOException e) {
            log.debug("a TLS connection is closed without a close_notify", e);
        } finally {
            closeNotify.complete(null);
            writing.unlock();
        }
    }
}
