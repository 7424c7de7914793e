package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.PeerEndedException;
import io.broxy.core.internal.net.UnderlyingConnection;
import io.broxy.core.internal.net.WriteFailures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The output of a {@link BridgedConnection}: the loop fills one buffer while a thread writes another. After the last byte, the
 * thread ends the stream or closes the connection if that was requested meanwhile. A thread is used only while there is work.
 *
 * <p>Threading: owned by its event loop, except {@link #run}, {@link #peerEnded} and the counters; the lock guards the fields
 * that both sides access.
 */
final class BridgeOutput {
    private static final Logger log = LoggerFactory.getLogger(BridgeOutput.class);

    private static final int BUFFER_SIZE = 32 << 10;

    /** The maximum number of bytes of one write, so that a slow peer's progress is visible. */
    private static final int STEP = 16 << 10;

    /** A broken connection ends a write immediately; a write that takes longer has not encountered a break. */
    private static final long BREAK_TIMEOUT_MILLIS = 1_000;

    private enum Step {
        WRITE,
        END,
        CLOSE,
        NOTHING
    }

    private final Connection connection;
    private final BridgeThreads threads;
    private final Runnable counted;
    /** Held during a write and the handling of its failure. */
    private final Semaphore writing = new Semaphore(1);

    private final Object lock = new Object();
    private ByteBuffer filling = ByteBuffer.allocate(0);
    /** Owned by the thread. */
    private ByteBuffer sending = ByteBuffer.allocate(0);

    private boolean active;
    private boolean endWanted;
    private boolean ended;
    private boolean closeWanted;
    private boolean closed;
    private boolean peerEnded;
    private @Nullable IOException failure;

    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong written = new AtomicLong();

    BridgeOutput(Connection connection, BridgeThreads threads) {
        this.connection = connection;
        this.threads = threads;
        this.counted = threads.counted(this::run);
    }

    // ------------------------------------------------------------------ on the loop

    /** As {@link LoopConnection#write}; accepted bytes are sent once a thread is {@linkplain #start started}. */
    int write(ByteBuffer from) throws IOException {
        int count;
        synchronized (lock) {
            if (failure != null) {
                throw failure;
            }
            if (endWanted) {
                throw new ClosedChannelException();
            }
            if (filling.capacity() == 0 && from.hasRemaining()) {
                filling = ByteBuffer.allocate(BUFFER_SIZE);
            }
            count = Leftover.move(from, filling);
        }
        accepted.addAndGet(count);
        return count;
    }

    /** Whether a write takes bytes or fails. */
    boolean hasRoom() {
        synchronized (lock) {
            return failure != null || filling.capacity() == 0 || filling.hasRemaining();
        }
    }

    /** Ends the stream after the bytes already written. */
    void end() throws IOException {
        synchronized (lock) {
            if (failure != null) {
                throw failure;
            }
            endWanted = true;
        }
    }

    /** Closes the connection after the bytes already written. */
    void close() {
        synchronized (lock) {
            if (!endWanted) {
                endWanted = true;
                ended = true; // by the close
            }
            closeWanted = true;
        }
    }

    /** Discards unsent bytes, because the connection is being reset. */
    void drop() {
        synchronized (lock) {
            closed = true;
            if (failure == null) {
                failure = new ClosedChannelException();
            }
        }
    }

    /** Starts a thread if there is work and none is running; false if no thread is available. */
    boolean start() {
        synchronized (lock) {
            if (active || peek() == Step.NOTHING) {
                return true;
            }
            active = true;
        }
        try {
            threads.run(counted);
            return true;
        } catch (IOException e) {
            synchronized (lock) {
                active = false;
                failure = e;
            }
            return false;
        }
    }

    @Nullable
    IOException failure() {
        synchronized (lock) {
            return failure;
        }
    }

    // ------------------------------------------------------------------ for any thread

    /** The number of bytes sent. */
    long written() {
        return written.get();
    }

    /** The number of bytes accepted but not sent. */
    long unsent() {
        long gone = written.get(); // read first, so that a concurrent write cannot make the result negative
        return accepted.get() - gone;
    }

    /**
     * Records that the peer's stream has ended. The system reports a break to only one of two threads, and the other one reads
     * an end of stream; so this method first waits for a write in progress.
     *
     * @throws IOException if a write has found that the connection broke
     */
    void peerEnded() throws IOException {
        try {
            if (writing.tryAcquire(BREAK_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)) {
                writing.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the engine is closing, and the connection with it
        }
        synchronized (lock) {
            if (failure != null && !WriteFailures.isAfterEnd(failure)) {
                throw failure;
            }
            peerEnded = true;
        }
    }

    // ------------------------------------------------------------------ on the thread

    /** Performs all pending work; this blocks. */
    private void run() {
        while (true) {
            switch (next()) {
                case WRITE -> drain();
                case END -> endStream();
                case CLOSE -> closeConnection();
                case NOTHING -> {
                    return;
                }
            }
        }
    }

    private Step next() {
        boolean wasFull = false;
        Step step;
        synchronized (lock) {
            step = peek();
            switch (step) {
                case WRITE -> {
                    wasFull = !filling.hasRemaining();
                    ByteBuffer empty = sending.capacity() == 0 ? ByteBuffer.allocate(BUFFER_SIZE) : sending.clear();
                    sending = filling.flip();
                    filling = empty;
                }
                case END -> ended = true;
                case CLOSE -> closed = true;
                case NOTHING -> active = false;
            }
        }
        if (wasFull) {
            threads.signal();
        }
        return step;
    }

    private Step peek() {
        if (failure == null && filling.position() > 0) {
            return Step.WRITE;
        }
        if (failure == null && endWanted && !ended) {
            return Step.END;
        }
        return closeWanted && !closed ? Step.CLOSE : Step.NOTHING;
    }

    private void drain() {
        writing.acquireUninterruptibly();
        try {
            int end = sending.limit();
            while (sending.position() < end) {
                sending.limit(Math.min(end, sending.position() + STEP));
                writeStep();
            }
        } catch (Throwable e) { // a third-party connection may throw anything
            failed(BridgeThreads.asIoException(e));
        } finally {
            writing.release();
        }
    }

    private void writeStep() throws IOException {
        for (int calls = 0; sending.hasRemaining(); calls++) {
            int count = connection.write(sending);
            written.addAndGet(count);
            if (count > 0) {
                calls = 0;
            } else if (calls == UnderlyingConnection.MAX_IDLE_CALLS) {
                throw new IOException("the blocking connection writes no bytes");
            }
        }
    }

    private void failed(IOException cause) {
        synchronized (lock) {
            if (failure == null) {
                failure = peerEnded && !WriteFailures.isAfterEnd(cause) ? new PeerEndedException(cause) : cause;
            }
        }
    }

    private void endStream() {
        try {
            connection.shutdownOutput();
        } catch (Throwable e) { // a third-party connection may throw anything
            log.debug("a connection's output could not be ended", e);
        }
    }

    private void closeConnection() {
        try {
            connection.close();
        } catch (Throwable e) { // a third-party connection may throw anything
            log.debug("closing a connection failed", e);
        }
    }
}
