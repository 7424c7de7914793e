package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.net.Below;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.PeerEndedException;
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
 * The output of a {@link BridgedConnection}: the loop fills one buffer while a thread writes another, and behind the last
 * byte come the end of the stream and the close that were asked for meanwhile. It takes a thread only as long as there is
 * something to do.
 *
 * <p>Threading: owned by its event loop, but for {@link #run}, {@link #peerEnded} and the counters; the lock guards what
 * both sides touch.
 */
final class BridgeOutput {
    private static final Logger log = LoggerFactory.getLogger(BridgeOutput.class);

    private static final int BUFFER_SIZE = 32 << 10;

    /** The most bytes of one write, so that the progress of a slow peer shows. */
    private static final int STEP = 16 << 10;

    /** A write that a break ends returns at once; a write that goes on for longer has not met one. */
    private static final long VERDICT_MILLIS = 1_000;

    private enum Step {
        WRITE,
        END,
        CLOSE,
        NOTHING
    }

    private final Connection connection;
    private final BridgeThreads threads;
    private final Runnable counted;
    /** Taken while a write, or what follows from its failure, is under way. */
    private final Semaphore writing = new Semaphore(1);

    private final Object lock = new Object();
    private ByteBuffer filling = ByteBuffer.allocate(0);
    /** The thread's own. */
    private ByteBuffer leaving = ByteBuffer.allocate(0);

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

    /** As {@link LoopConnection#write}; what is taken goes out once a thread is {@linkplain #start started}. */
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

    /** Ends the stream behind what has been written. */
    void end() throws IOException {
        synchronized (lock) {
            if (failure != null) {
                throw failure;
            }
            endWanted = true;
        }
    }

    /** Closes the connection behind what has been written. */
    void close() {
        synchronized (lock) {
            if (!endWanted) {
                endWanted = true;
                ended = true; // by the close
            }
            closeWanted = true;
        }
    }

    /** Drops what has not gone out, for the connection is reset. */
    void drop() {
        synchronized (lock) {
            closed = true;
            if (failure == null) {
                failure = new ClosedChannelException();
            }
        }
    }

    /** Starts a thread if there is something to do and none that does it; false if there is no thread. */
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

    /** Bytes that have gone out. */
    long written() {
        return written.get();
    }

    /** Bytes that were taken and have not gone out. */
    long unsent() {
        long gone = written.get(); // first: what goes out meanwhile must not make it negative
        return accepted.get() - gone;
    }

    /**
     * Notes that the peer's stream has ended. The system reports a break to only one of two threads, and the other one reads
     * the end of the stream: so a write that is under way is awaited first.
     *
     * @throws IOException if a write has found that the connection broke
     */
    void peerEnded() throws IOException {
        try {
            if (writing.tryAcquire(VERDICT_MILLIS, TimeUnit.MILLISECONDS)) {
                writing.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the engine ends, and the connection with it
        }
        synchronized (lock) {
            if (failure != null && !WriteFailures.isAfterEnd(failure)) {
                throw failure;
            }
            peerEnded = true;
        }
    }

    // ------------------------------------------------------------------ on the thread

    /** Does what there is to do; this blocks. */
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
                    ByteBuffer empty = leaving.capacity() == 0 ? ByteBuffer.allocate(BUFFER_SIZE) : leaving.clear();
                    leaving = filling.flip();
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
            int end = leaving.limit();
            while (leaving.position() < end) {
                leaving.limit(Math.min(end, leaving.position() + STEP));
                writeStep();
            }
        } catch (Throwable e) { // another author's connection may throw anything
            failed(BridgeThreads.asIoException(e));
        } finally {
            writing.release();
        }
    }

    private void writeStep() throws IOException {
        for (int calls = 0; leaving.hasRemaining(); calls++) {
            int count = connection.write(leaving);
            written.addAndGet(count);
            if (count > 0) {
                calls = 0;
            } else if (calls == Below.MAX_IDLE_CALLS) {
                throw new IOException("the connection writes nothing though it blocks");
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
        } catch (Throwable e) { // another author's connection may throw anything
            log.debug("a connection's output could not be ended", e);
        }
    }

    private void closeConnection() {
        try {
            connection.close();
        } catch (Throwable e) { // another author's connection may throw anything
            log.debug("closing a connection failed", e);
        }
    }
}
