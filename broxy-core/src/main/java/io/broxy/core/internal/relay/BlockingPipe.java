package io.broxy.core.internal.relay;

import io.broxy.Connection;
import io.broxy.core.internal.loop.BufferPool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One direction of a {@link BlockingRelay}, with the states of {@link Pipe}.
 *
 * <p>Threading: {@link #run} is for one thread; everything else is thread-safe.
 */
final class BlockingPipe {
    private final BlockingRelay relay;
    private final Connection source;
    private final Connection sink;
    private final BufferPool buffers;
    private ByteBuffer first = ByteBuffer.allocate(0);
    private final AtomicLong moved = new AtomicLong();
    private volatile boolean discarding;
    private volatile boolean ended;

    BlockingPipe(BlockingRelay relay, Connection source, Connection sink, BufferPool buffers) {
        this.relay = relay;
        this.source = source;
        this.sink = sink;
        this.buffers = buffers;
    }

    /** Sets what goes to the sink before anything that is read, and how many bytes at its start are the proxy's own. */
    void first(ByteBuffer bytes, int notCounted) {
        first = bytes;
        moved.set(-notCounted);
    }

    long moved() {
        return Math.max(0, moved.get());
    }

    boolean isDiscarding() {
        return discarding && !ended;
    }

    boolean isEnded() {
        return ended;
    }

    /** Copies until the source ends or one side breaks. */
    void run() {
        ByteBuffer buffer = buffers.borrow();
        try {
            boolean going = drain(first);
            while (going) {
                going = fill(buffer.clear()) && (discarding || drain(buffer.flip()));
            }
        } finally {
            buffers.giveBack(buffer);
        }
    }

    /** Reads once. False when nothing more will come. */
    private boolean fill(ByteBuffer buffer) {
        int count;
        try {
            count = source.read(buffer);
        } catch (IOException e) {
            relay.reset(source, e);
            return false;
        }
        relay.touch();
        if (count >= 0) {
            return true;
        }
        endSink();
        ended = true;
        relay.ended(this);
        return false;
    }

    /** Writes all of it. False when the relay is over. */
    private boolean drain(ByteBuffer buffer) {
        try {
            while (buffer.hasRemaining()) {
                moved.addAndGet(sink.write(buffer));
                relay.touch();
            }
            return true;
        } catch (IOException e) {
            if (!WriteFailures.isAfterEnd(e)) {
                relay.reset(sink, e);
                return false;
            }
            discarding = true;
            relay.discarding(this);
            return true;
        }
    }

    private void endSink() {
        if (discarding) {
            return;
        }
        try {
            sink.shutdownOutput();
        } catch (IOException e) {
            // The sink broke: what it had to say is decided by the direction that reads from it.
        }
    }
}
