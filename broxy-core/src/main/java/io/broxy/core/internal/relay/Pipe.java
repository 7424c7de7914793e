package io.broxy.core.internal.relay;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.net.BreakWatch;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.WriteFailures;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a relay. What was read is written at once; what the sink does not take is held, and the source is not
 * read until it is gone, so that a slow reader stops the sender. A turn is one read and one write, so that bulk does not
 * starve its neighbours.
 *
 * <pre>
 *             end of the source
 *   OPEN ───────────────────────────────────> ENDED
 *    │  sink broken behind its own end           ^
 *    └──────────────────────────> DISCARDING ────┘
 * </pre>
 *
 * <p>Threading: owned by its event loop, but for {@link #moved}.
 */
final class Pipe implements ChannelEvents {
    private enum State {
        /** Bytes are passed. */
        OPEN,
        /** The sink takes nothing any more; what comes is dropped, at no rate, so that the source may come to its end. */
        DISCARDING,
        /** The source has ended, and so has the output of the sink. */
        ENDED
    }

    /** The most that is read from a source whose bytes go nowhere any more. */
    static final int MAX_DISCARDED = 1 << 20;

    private static final VarHandle MOVED;

    static {
        try {
            MOVED = MethodHandles.lookup().findVarHandle(Pipe.class, "moved", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Relay relay;
    private final LoopConnection source;
    private final LoopConnection sink;
    /** Null once nothing is limited. */
    private @Nullable Throttle throttle;
    /** The other direction, which writes to this pipe's source. */
    private Pipe reverse = this;

    private State state = State.OPEN;
    private int readSize = LoopBuffers.MIN_READ;
    private @Nullable ByteBuffer held;
    /** What is held was read by this pipe, and so has been charged to the rate. */
    private boolean heldIsCharged;
    /** While something is held: when the sink took something, or was asked to, for the last time. */
    private long waitingSinceNanos;

    private @Nullable IOException sinkFailure;
    private long moved;
    private long discarded;

    /**
     * Creates a pipe.
     *
     * @param throttle limits what is read, or null
     */
    Pipe(Relay relay, LoopConnection source, LoopConnection sink, @Nullable Throttle throttle) {
        this.relay = relay;
        this.source = source;
        this.sink = sink;
        this.throttle = throttle;
    }

    static void pair(Pipe one, Pipe other) {
        one.reverse = other;
        other.reverse = one;
    }

    boolean isEnded() {
        return state == State.ENDED;
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    /** Whether bytes wait for the sink. */
    boolean isWaiting() {
        return held != null;
    }

    /** While bytes wait: since when the sink has taken none. */
    long waitingSinceNanos() {
        return waitingSinceNanos;
    }

    /** How the sink broke behind its own end, so that something was discarded; else null. */
    @Nullable
    IOException sinkFailure() {
        return sinkFailure != null ? sinkFailure : sink.lost();
    }

    /** Bytes that have gone out to the sink; for any thread. */
    long moved() {
        long unsent = sink.unsent(); // before what is taken meanwhile is counted
        return Math.max(0, (long) MOVED.getOpaque(this) - unsent);
    }

    /**
     * Sets what goes to the sink before anything that is read.
     *
     * @param bytes released by this pipe; null for nothing
     * @param notCounted how many bytes at their start are the proxy's own
     */
    void first(@Nullable ByteBuffer bytes, int notCounted) {
        held = bytes;
        MOVED.setOpaque(this, (long) -notCounted);
    }

    /** Begins to relay. Nothing else may be waited for at the source. */
    void start() {
        if (held == null) {
            want(source, SelectionKey.OP_READ);
        } else {
            waiting();
            flush();
        }
    }

    // ------------------------------------------------------------------ readiness of the source

    @Override
    public void ready(int readyOps) {
        if ((readyOps & SelectionKey.OP_WRITE) != 0) {
            reverse.flush();
        }
        if ((readyOps & SelectionKey.OP_READ) != 0 && source.isOpen()) {
            pump();
        }
    }

    private void pump() {
        if (held != null || state == State.ENDED) {
            return; // the flush before has ended it
        }
        LoopBuffers buffers = relay.loop().buffers();
        int size = buffers.readSize(readSize);
        if (throttle != null) {
            size = throttle.grant(size, this::resume);
            if (size == 0) {
                unwant(source, SelectionKey.OP_READ);
                relay.throttled();
                return;
            }
        }
        ByteBuffer buffer = buffers.shared().limit(size);
        int count;
        try {
            count = source.read(buffer);
        } catch (IOException e) {
            relay.reset(source, e);
            return;
        }
        if (throttle != null) {
            throttle.used(Math.max(count, 0));
        }
        if (count < 0) {
            relay.touch();
            end();
        } else if (count > 0 && state == State.OPEN) {
            relay.touch();
            pass(buffer.flip());
        } else if (count > 0) {
            discard(count);
        }
    }

    /** It is this pipe's turn to read again. */
    private void resume() {
        if (held == null && state != State.ENDED) {
            want(source, SelectionKey.OP_READ);
        }
    }

    /** Some bytes are read for the sake of the end behind them; a source that sends on and on would keep the loop busy. */
    private void discard(int count) {
        discarded += count;
        if (discarded > MAX_DISCARDED) {
            unwant(source, SelectionKey.OP_READ);
            relay.endSoon();
        }
    }

    private void pass(ByteBuffer buffer) {
        int count = buffer.remaining();
        try {
            sink.write(buffer);
        } catch (IOException e) {
            refund(buffer.remaining());
            sinkFailed(e);
            return;
        }
        addMoved(buffer.position());
        if (buffer.hasRemaining()) {
            held = relay.loop().buffers().hold(buffer);
            heldIsCharged = true;
            readSize = LoopBuffers.MIN_READ;
            unwant(source, SelectionKey.OP_READ);
            want(sink, SelectionKey.OP_WRITE);
            waiting();
        } else if (count == readSize && readSize < LoopBuffers.MAX_READ) {
            readSize *= 2;
        }
    }

    /** The sink may take more. */
    private void flush() {
        ByteBuffer rest = held;
        if (rest == null) {
            return;
        }
        int count;
        try {
            count = sink.write(rest);
        } catch (IOException e) {
            sinkFailed(e);
            return;
        }
        if (count > 0) {
            relay.touch();
            addMoved(count);
        }
        if (rest.hasRemaining()) {
            want(sink, SelectionKey.OP_WRITE);
            if (count > 0) {
                waiting();
            }
        } else {
            releaseHeld();
            unwant(sink, SelectionKey.OP_WRITE);
            want(source, SelectionKey.OP_READ);
        }
    }

    private void waiting() {
        waitingSinceNanos = relay.loop().nowNanos();
        relay.waiting(waitingSinceNanos);
    }

    // ------------------------------------------------------------------ ends

    private void end() {
        unwant(source, SelectionKey.OP_READ); // else a hang-up would spin
        if (state == State.OPEN) {
            try {
                sink.shutdownOutput();
            } catch (IOException e) {
                // The sink broke: what it had to say is decided by the direction that reads from it.
            }
        }
        state = State.ENDED;
        relay.ended(this);
    }

    /** The sink has broken, as a write or {@link BreakWatch} has found. */
    void sinkFailed(IOException failure) {
        if (!reverse.isEnded() && !WriteFailures.isAfterEnd(failure)) {
            relay.reset(sink, failure);
            return;
        }
        state = State.DISCARDING;
        sinkFailure = failure;
        releaseHeld();
        unthrottle();
        unwant(sink, SelectionKey.OP_WRITE);
        want(source, SelectionKey.OP_READ);
    }

    /** Discarded bytes are no part of a rate, and do not wait for one. */
    private void unthrottle() {
        if (throttle != null) {
            throttle.stop();
            throttle = null;
        }
    }

    private void refund(long bytes) {
        if (throttle != null && bytes > 0) {
            throttle.refund(bytes);
        }
    }

    /** The sink is being reset: what it has taken and not sent is lost. */
    void refundUnsent() {
        refund(Math.min(sink.unsent(), moved));
    }

    void releaseHeld() {
        if (held != null) {
            if (heldIsCharged) {
                refund(held.remaining());
            }
            relay.loop().buffers().release(held);
            held = null;
        }
    }

    private void addMoved(int count) {
        MOVED.setOpaque(this, moved + count);
    }

    private void want(LoopConnection connection, int op) {
        interest(connection, connection.interest() | op);
    }

    private void unwant(LoopConnection connection, int op) {
        interest(connection, connection.interest() & ~op);
    }

    private void interest(LoopConnection connection, int ops) {
        try {
            connection.interest(ops);
        } catch (IOException e) {
            relay.failed(e);
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        relay.abandoned(cause);
    }
}
