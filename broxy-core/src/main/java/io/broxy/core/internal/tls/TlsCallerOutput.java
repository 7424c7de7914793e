package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.net.Below;
import io.broxy.core.internal.net.PeerEndedException;
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
 * The way out of a TLS connection on callers' threads.
 *
 * <p>The thread that reads may find that the engine has to answer. It must not wait for a thread that writes and whose peer
 * perhaps only goes on once it is read; so the answer is left to that thread, unless too many are.
 *
 * <p>Threading: thread-safe; the lock is held while bytes are sent, for records must not mix.
 */
final class TlsCallerOutput {
    private static final Logger log = LoggerFactory.getLogger(TlsCallerOutput.class);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** How long closing may wait for a peer that takes no bytes. */
    private static final long GOODBYE_SECONDS = 2;

    /** Answers that wait in the engine; a peer that makes more is not read until it takes some. */
    private static final int MAX_OWED = 64;

    private final Connection below;
    private final TlsEngine engine;
    private final BufferPool buffers;
    private final ReentrantLock writing = new ReentrantLock();
    private final AtomicInteger owed = new AtomicInteger();
    /** Something went out in part, so nothing can follow. */
    private volatile boolean broken;

    private boolean shut; // under the lock

    TlsCallerOutput(Connection below, TlsEngine engine, BufferPool buffers) {
        this.below = below;
        this.engine = engine;
        this.buffers = buffers;
    }

    /** Encrypts and sends all, and gives how much that was. */
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
        answerIfOwed(interrupts);
        return count;
    }

    /** Sends a close_notify and ends the stream below; once. */
    void shutdown() throws IOException {
        writing.lock();
        try {
            if (!shut) {
                shut = true;
                engine.closeOutput();
                send(NOTHING, Interrupts.AS_SOCKETS); // an end of the stream is no call that an interrupt ends
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

    /** The engine has something to say; called by the thread that reads. */
    void answer(Interrupts interrupts) {
        if (owed.incrementAndGet() > MAX_OWED) {
            writing.lock();
            try {
                sendOwed(interrupts);
            } finally {
                writing.unlock();
            }
        }
        answerIfOwed(interrupts);
    }

    /** Each release of the lock checks again, so an answer that becomes due while it is held is never forgotten. */
    private void answerIfOwed(Interrupts interrupts) {
        while (owed.get() > 0 && writing.tryLock()) {
            try {
                sendOwed(interrupts);
            } finally {
                writing.unlock();
            }
        }
    }

    private void sendOwed(Interrupts interrupts) {
        owed.set(0);
        try {
            send(NOTHING, interrupts);
        } catch (IOException e) {
            log.debug("TLS could not answer its peer; a write will tell", e);
        }
    }

    private void send(ByteBuffer from, Interrupts interrupts) throws IOException {
        if (broken) {
            throw engine.sendingFailed(new SSLException("the TLS connection broke within a write before"));
        }
        ByteBuffer pooled = buffers.borrow();
        ByteBuffer batch = TlsEngine.roomy(pooled);
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
                    default -> {} // the buffer was full
                }
            }
        } finally {
            buffers.giveBack(pooled);
        }
    }

    private void flush(ByteBuffer batch, Interrupts interrupts) throws IOException {
        try {
            Below.write(below, batch, interrupts);
        } catch (IOException e) {
            broken = true;
            throw engine.sendingFailed(e);
        }
    }

    /** Sends a close_notify if no other thread is writing, and waits for that only a short time. */
    void sayGoodbye() {
        if (broken || !writing.tryLock()) {
            return;
        }
        CompletableFuture<Void> said = new CompletableFuture<>();
        try {
            if (shut) {
                return;
            }
            shut = true;
            said.orTimeout(GOODBYE_SECONDS, TimeUnit.SECONDS).whenComplete((ok, late) -> {
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
            said.complete(null);
            writing.unlock();
        }
    }
}
