package io.broxy.core.internal.relay;

import io.broxy.Connection;
import io.broxy.core.internal.loop.BufferPool;
import io.broxy.core.internal.net.WriteFailures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a {@link BlockingRelay}, with the states of {@link Pipe}.
 *
 * <p>Threading: {@link #run} is for one thread; everything else is thread-safe.
 */
final class BlockingPipe {
    /** A write that a break has ended returns at once; one that still waits then was not ended by one. */
    private static final long VERDICT_MILLIS = 1_000;

    private final BlockingRelay relay;
    private final Connection source;
    private final Connection sink;
    private final BufferPool buffers;
    private ByteBuffer first = ByteBuffer.allocate(0);
    /** The other direction: whoever writes to this pipe's source. */
    private BlockingPipe reverse = this;
    /** Taken while a write, or what follows from its failure, is under way. */
    private final Semaphore writing = new Semaphore(1);

    private final AtomicLong moved = new AtomicLong();
    private volatile @Nullable IOException sinkFailure;
    private volatile boolean ended;
    private long discarded;

    BlockingPipe(BlockingRelay relay, Connection source, Connection sink, BufferPool buffers) {
        this.relay = relay;
        this.source = source;
        this.sink = sink;
        this.buffers = buffers;
    }

    static void pair(BlockingPipe one, BlockingPipe other) {
        one.reverse = other;
        other.reverse = one;
    }

    /** Sets what goes to the sink before anything that is read, and how many bytes at its start are the proxy's own. */
    void first(ByteBuffer bytes, int notCounted) {
        first = bytes;
        moved.set(-notCounted);
    }

    long moved() {
        return Math.max(0, moved.get());
    }

    /** As {@link Pipe#sinkFailure}. */
    @Nullable
    IOException sinkFailure() {
        return sinkFailure;
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
                going = fill(buffer.clear()) && (sinkFailure != null || drain(buffer.flip()));
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
        IOException broken = sinkFailure;
        if (count >= 0 && broken != null) {
            return discard(count, broken);
        }
        if (count >= 0) {
            relay.touch();
            return true;
        }
        relay.touch();
        awaitVerdict();
        if (!relay.isOver()) {
            endSink();
            ended = true;
            relay.ended(this);
        }
        return false;
    }

    /** As in {@link Pipe}; a source that sends on and on is reset when the other direction has come to its end. */
    private boolean discard(int count, IOException broken) {
        discarded += count;
        if (discarded > Pipe.MAX_DISCARDED && reverse.ended) {
            relay.reset(sink, broken);
            return false;
        }
        return true;
    }

    /**
     * The kernel tells only one of two threads that a connection broke, and the other one sees the end of the stream: so a
     * write that is under way has the first word.
     */
    private void awaitVerdict() {
        try {
            if (reverse.writing.tryAcquire(VERDICT_MILLIS, TimeUnit.MILLISECONDS)) {
                reverse.writing.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the engine ends, and the relay with it
        }
    }

    /** Writes all of it. False when the relay is over. */
    private boolean drain(ByteBuffer buffer) {
        writing.acquireUninterruptibly();
        try {
            while (buffer.hasRemaining()) {
                int count = sink.write(buffer);
                relay.touch();
                moved.addAndGet(count);
            }
            return true;
        } catch (IOException e) {
            if (!relay.hasEnded(sink) && !WriteFailures.isAfterEnd(e)) {
                relay.reset(sink, e);
                return false;
            }
            sinkFailure = e;
            return true;
        } finally {
            writing.release();
        }
    }

    private void endSink() {
        if (sinkFailure != null) {
            return;
        }
        try {
            sink.shutdownOutput();
        } catch (IOException e) {
            // The sink broke: what it had to say is decided by the direction that reads from it.
        }
    }
}
