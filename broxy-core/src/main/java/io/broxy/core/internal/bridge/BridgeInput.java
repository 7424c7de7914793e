package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopLeftover;
import io.broxy.core.internal.net.UnderlyingConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The input of a {@link BridgedConnection}: one blocking read at a time. The buffer belongs to the thread during the read, and
 * to the loop from then on until it is empty. Bytes that were pushed back come first.
 *
 * <pre>
 *   IDLE ──> READING ──> FILLED ──> IDLE
 *               ├──> ENDED
 *               └──> FAILED
 * </pre>
 *
 * <p>Threading: owned by its event loop, except {@link #run}, which one thread runs between {@link #start} and the next state.
 */
final class BridgeInput {
    private static final int BUFFER_SIZE = 32 << 10;

    private enum State {
        IDLE,
        READING,
        FILLED,
        ENDED,
        FAILED
    }

    /** Bytes that were pushed back. */
    private final LoopLeftover leftover;

    private final Connection connection;
    private final BridgeOutput output;
    private final BridgeThreads threads;
    private final Runnable counted;
    private ByteBuffer buffer = ByteBuffer.allocate(0);
    private @Nullable IOException failure;
    /** Publishes the other fields between the loop and the thread. */
    private volatile State state = State.IDLE;

    BridgeInput(LoopLeftover leftover, Connection connection, BridgeOutput output, BridgeThreads threads) {
        this.leftover = leftover;
        this.connection = connection;
        this.output = output;
        this.threads = threads;
        this.counted = threads.counted(this::run);
    }

    /** Whether a read can start: all bytes have been taken, and there was neither an end of stream nor a failure. */
    boolean isIdle() {
        return state == State.IDLE && !leftover.isPresent();
    }

    /** Whether a read on the loop yields something: bytes, the end or a failure. */
    boolean isReady() {
        if (leftover.isPresent()) {
            return true;
        }
        return switch (state) {
            case IDLE, READING -> false;
            case FILLED, ENDED, FAILED -> true;
        };
    }

    /** As {@link LoopConnection#read}. */
    int read(ByteBuffer into) throws IOException {
        if (leftover.isPresent()) {
            return leftover.read(into);
        }
        return switch (state) {
            case IDLE, READING -> 0;
            case FILLED -> take(into);
            case ENDED -> -1;
            case FAILED -> throw failure();
        };
    }

    private int take(ByteBuffer into) {
        int count = Leftover.move(buffer, into);
        if (!buffer.hasRemaining()) {
            state = State.IDLE;
        }
        return count;
    }

    private IOException failure() {
        return failure != null ? failure : new IOException("the connection failed");
    }

    /** Removes and returns the bytes that were read but not taken, for another owner. */
    ByteBuffer takeRest() {
        ByteBuffer first = leftover.takeAll();
        return state == State.FILLED ? Leftover.joined(first, buffer) : first;
    }

    // ------------------------------------------------------------------ a read

    /** Starts a read on a thread; false if no thread is available, which {@link #read} reports. */
    boolean start() {
        if (buffer.capacity() == 0) {
            buffer = ByteBuffer.allocate(BUFFER_SIZE);
        }
        state = State.READING;
        try {
            threads.run(counted);
            return true;
        } catch (IOException e) {
            failure = e;
            state = State.FAILED;
            return false;
        }
    }

    /** Reads; this blocks. */
    private void run() {
        State next;
        try {
            next = readOnce();
        } catch (Throwable e) { // a third-party connection may throw anything
            failure = BridgeThreads.asIoException(e);
            next = State.FAILED;
        }
        state = next;
    }

    private State readOnce() throws IOException {
        for (int calls = 0; calls < UnderlyingConnection.MAX_IDLE_CALLS; calls++) {
            int count = connection.read(buffer.clear());
            if (count < 0) {
                output.peerEnded();
                return State.ENDED;
            }
            if (count > 0) {
                buffer.flip();
                return State.FILLED;
            }
        }
        throw new IOException("the blocking connection reads no bytes");
    }
}
