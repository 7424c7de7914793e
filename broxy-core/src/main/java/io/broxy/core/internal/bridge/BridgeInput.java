package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.net.Below;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopLeftover;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The input of a {@link BridgedConnection}: one blocking read at a time, into a buffer that is the thread's while it reads
 * and the loop's from then on, until it is empty. Bytes that were put back come first.
 *
 * <pre>
 *   IDLE ──> READING ──> FILLED ──> IDLE
 *               ├──> ENDED
 *               └──> FAILED
 * </pre>
 *
 * <p>Threading: owned by its event loop, but for {@link #run}, which is for one thread between {@link #start} and the next
 * state.
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

    /** Bytes that were put back. */
    private final LoopLeftover leftover;

    private final Connection connection;
    private final BridgeOutput output;
    private final BridgeThreads threads;
    private final Runnable counted;
    private ByteBuffer buffer = ByteBuffer.allocate(0);
    private @Nullable IOException failure;
    /** Passes the other fields on between the loop and the thread. */
    private volatile State state = State.IDLE;

    BridgeInput(LoopLeftover leftover, Connection connection, BridgeOutput output, BridgeThreads threads) {
        this.leftover = leftover;
        this.connection = connection;
        this.output = output;
        this.threads = threads;
        this.counted = threads.counted(this::run);
    }

    /** Whether a read can begin: all bytes have been taken, and neither the end nor a failure has come. */
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

    /** Takes the bytes that have been read and not been taken, for another owner. */
    ByteBuffer takeRest() {
        ByteBuffer first = leftover.takeAll();
        return state == State.FILLED ? Leftover.joined(first, buffer) : first;
    }

    // ------------------------------------------------------------------ a read

    /** Begins a read on a thread; false if there is none, which {@link #read} reports. */
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
        } catch (Throwable e) { // another author's connection may throw anything
            failure = BridgeThreads.asIoException(e);
            next = State.FAILED;
        }
        state = next;
    }

    private State readOnce() throws IOException {
        for (int calls = 0; calls < Below.MAX_IDLE_CALLS; calls++) {
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
        throw new IOException("the connection reads nothing though it blocks");
    }
}
