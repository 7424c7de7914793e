package io.broxy.core.internal.bridge;

import io.broxy.Connection;
import io.broxy.core.internal.net.Below;
import io.broxy.core.internal.net.Leftover;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The way into a {@link BridgedConnection}: one blocking read at a time, into a buffer that is the thread's while it reads
 * and the loop's from then on, until it is empty.
 *
 * <pre>
 *   IDLE ──> READING ──> FILLED ──> IDLE
 *               ├──> ENDED
 *               └──> FAILED
 * </pre>
 *
 * <p>Threading: owned by its event loop, but for {@link #run}, which is for one thread between {@link #begin} and the next
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

    private final Connection connection;
    private final BridgeOutput output;
    private ByteBuffer buffer = ByteBuffer.allocate(0);
    private @Nullable IOException failure;
    /** Passes the other fields on between the loop and the thread. */
    private volatile State state = State.IDLE;

    BridgeInput(Connection connection, BridgeOutput output) {
        this.connection = connection;
        this.output = output;
    }

    /** Whether a read can begin. */
    boolean isIdle() {
        return state == State.IDLE;
    }

    /** Whether a read on the loop comes to something: bytes, the end or a failure. */
    boolean hasNews() {
        return switch (state) {
            case IDLE, READING -> false;
            case FILLED, ENDED, FAILED -> true;
        };
    }

    /** As {@link LoopConnection#read}. */
    int read(ByteBuffer into) throws IOException {
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

    /** What has been read and not been taken, for another owner. */
    ByteBuffer rest() {
        return state == State.FILLED ? buffer : ByteBuffer.allocate(0);
    }

    // ------------------------------------------------------------------ a read

    /** Marks the beginning of a read, which is for {@link #run} to do. */
    void begin() {
        if (buffer.capacity() == 0) {
            buffer = ByteBuffer.allocate(BUFFER_SIZE);
        }
        state = State.READING;
    }

    /** There is no thread for the read that has begun. */
    void notRun(IOException cause) {
        failure = cause;
        state = State.FAILED;
    }

    /** Reads; this blocks. */
    void run() {
        State next;
        try {
            next = readOnce();
        } catch (Throwable e) { // of a connection that somebody else wrote
            failure = BridgedConnection.asIoException(e);
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
