package io.broxy.core.internal.relay;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.loop.Throttle;
import io.broxy.core.internal.net.BreakWatch;
import io.broxy.core.internal.net.KernelBytes;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.WriteFailures;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a relay. Bytes are written immediately after they are read. Bytes that the sink does not accept are held,
 * and the source is not read until they are written, so that a slow reader throttles the sender. A turn is one read and one
 * write, so that bulk transfers do not starve other connections.
 *
 * <pre>
 *             end of the source
 *   OPEN ───────────────────────────────────> ENDED
 *    │  sink broken after its own end           ^
 *    └──────────────────────────> DISCARDING ────┘
 * </pre>
 *
 * <p>Threading: owned by its event loop, except {@link #moved}.
 */
final class Pipe implements ChannelEvents {
    private enum State {
        /** Bytes are relayed. */
        OPEN,
        /** The sink is gone; bytes from the source are discarded, without rate limit, so that the source can reach its end. */
        DISCARDING,
        /** The source and the output of the sink have ended. */
        ENDED
    }

    /** The maximum number of bytes that are read from a source and discarded. */
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
    /** Null if the rate is not limited, or no longer. */
    private @Nullable Throttle throttle;
    /** The other direction, which writes to this pipe's source. */
    private Pipe reverse = this;

    private State state = State.OPEN;
    private int readSize = LoopBuffers.MIN_READ;
    private @Nullable ByteBuffer held;
    /** As {@link #held}, if the kernel has the bytes; never both. */
    private @Nullable KernelBytes inKernel;
    /** Whether the held bytes were read by this pipe and thus charged to the rate. */
    private boolean heldIsCharged;
    /** While bytes are held: the last time when the sink accepted bytes, or first got these. */
    private long waitingSinceNanos;

    private @Nullable IOException sinkFailure;
    private long moved;
    private long discarded;

    /**
     * Creates a pipe.
     *
     * @param throttle limits the read rate, or null
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
        return held != null || inKernel != null;
    }

    /** While bytes wait: since when the sink has accepted none. */
    long waitingSinceNanos() {
        return waitingSinceNanos;
    }

    /** The failure of the sink after its own end, if it made this pipe discard bytes; else null. */
    @Nullable
    IOException sinkFailure() {
        return sinkFailure != null ? sinkFailure : sink.lost();
    }

    /** The number of bytes sent to the sink. Thread-safe. */
    long moved() {
        long unsent = sink.unsent(); // read first, so that bytes accepted meanwhile do not make the result too large
        return Math.max(0, (long) MOVED.getOpaque(this) - unsent);
    }

    /**
     * Sets the bytes that go to the sink before any that are read.
     *
     * @param bytes released by this pipe; null for none
     * @param notCounted the number of leading bytes that the proxy itself has generated
     */
    void first(@Nullable ByteBuffer bytes, int notCounted) {
        held = bytes;
        MOVED.setOpaque(this, (long) -notCounted);
    }

    /** Starts relaying. No other code may wait for readiness of the source. */
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
        if (isWaiting() || state == State.ENDED) {
            return; // the preceding flush has ended the pipe
        }
        LoopBuffers buffers = relay.loop().buffers();
        int size = buffers.readSize(readSize);
        if (size == LoopBuffers.MAX_READ && throttle == null && state == State.OPEN) {
            KernelBytes bytes = source.toKernel(sink);
            if (bytes != null) {
                pump(bytes);
                return;
            }
        }
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
            end();
        } else if (count > 0 && state == State.OPEN) {
            relay.touch();
            pass(buffer.flip());
        } else if (count > 0) {
            discard(count);
        }
    }

    /** As a read and a write, within the kernel. */
    private void pump(KernelBytes bytes) {
        int count;
        try {
            count = bytes.read();
        } catch (IOException e) {
            bytes.release();
            relay.reset(source, e);
            return;
        }
        if (count < LoopBuffers.MIN_READ) {
            readSize = LoopBuffers.MIN_READ; // copying is faster for these
        }
        if (count > 0) {
            relay.touch();
            pass(bytes);
        } else {
            bytes.release();
            if (count < 0) {
                end();
            }
        }
    }

    private void pass(KernelBytes bytes) {
        try {
            addMoved(bytes.write());
        } catch (IOException e) {
            bytes.release();
            sinkFailed(e);
            return;
        }
        if (bytes.remaining() == 0) {
            bytes.release();
            return;
        }
        inKernel = bytes;
        relay.loop().buffers().holdElsewhere(bytes.capacity());
        unwant(source, SelectionKey.OP_READ);
        want(sink, SelectionKey.OP_WRITE);
        waiting();
    }

    /** Called when it is this pipe's turn to read again. */
    private void resume() {
        if (!isWaiting() && state != State.ENDED) {
            want(source, SelectionKey.OP_READ);
        }
    }

    /** Discards bytes to reach the end of the stream behind them, up to a limit: an endless source would keep the loop busy. */
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

    /** Called when the sink may accept more bytes. */
    private void flush() {
        ByteBuffer rest = held;
        KernelBytes kernelRest = inKernel;
        if (!isWaiting()) {
            return;
        }
        int count;
        try {
            count = rest != null ? sink.write(rest) : kernelRest != null ? kernelRest.write() : 0;
        } catch (IOException e) {
            sinkFailed(e);
            return;
        }
        if (count > 0) {
            relay.touch();
            addMoved(count);
        }
        if (rest != null ? rest.hasRemaining() : kernelRest != null && kernelRest.remaining() > 0) {
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
        relay.touch();
        unwant(source, SelectionKey.OP_READ); // otherwise a hang-up would cause a busy loop
        if (state == State.OPEN) {
            try {
                sink.shutdownOutput();
            } catch (IOException e) {
                // The sink broke: the direction that reads from it decides what that means.
            }
        }
        state = State.ENDED;
        relay.ended(this);
    }

    /** Called when a write or {@link BreakWatch} has found that the sink is broken. */
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

    /** Removes the rate limit, since discarded bytes are not charged to a rate and do not wait for one. */
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

    /** Refunds the bytes that the sink accepted but did not send, and that its reset loses. */
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
        if (inKernel != null) {
            relay.loop().buffers().releaseElsewhere(inKernel.capacity());
            inKernel.release();
            inKernel = null;
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
