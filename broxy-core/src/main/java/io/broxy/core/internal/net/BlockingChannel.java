package io.broxy.core.internal.net;

import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * Blocking reads and writes over a {@link SocketChannel} in non-blocking mode; threads wait here instead of in the channel. A
 * write thus takes the whole buffer regardless of other threads, a read can have a time limit, and an interrupt closes the
 * channel only on request. The JDK's blocking reads and writes guarantee none of these.
 *
 * <p>Heap buffers are processed in slices, because the JDK copies them through a direct buffer of the same size, which the
 * thread retains.
 *
 * <p>Threading: thread-safe; a lock for each direction lets one thread read while another writes. The locks are held while a
 * thread waits for its peer.
 */
final class BlockingChannel {
    /** The maximum number of bytes read into or written from a heap buffer at once. */
    private static final int SLICE_SIZE = 64 << 10;

    private final SocketChannel channel;
    private final ReadinessWait readable;
    private final ReadinessWait writable;

    BlockingChannel(SocketChannel channel) {
        this.channel = channel;
        this.readable = new ReadinessWait(channel, SelectionKey.OP_READ, SharedSelector.READABLE);
        this.writable = new ReadinessWait(channel, SelectionKey.OP_WRITE, SharedSelector.WRITABLE);
    }

    /**
     * Reads at least one byte; returns -1 at the end of the stream.
     *
     * @param limitNanos how long to wait; 0 means without limit
     * @throws SocketTimeoutException if no byte arrives in time; the channel remains readable
     */
    int read(ByteBuffer into, long limitNanos, Interrupts interrupts) throws IOException {
        readable.lock();
        try {
            begin(interrupts);
            ReadinessWait.Limit limit = ReadinessWait.Limit.of(limitNanos);
            while (true) {
                int count = readNow(into);
                if (count != 0 || !into.hasRemaining()) {
                    return count;
                }
                await(readable, limit, interrupts);
            }
        } finally {
            readable.unlock();
        }
    }

    /** Writes all bytes. After a failure the buffer's position tells how many were written. */
    int write(ByteBuffer from, Interrupts interrupts) throws IOException {
        writable.lock();
        try {
            begin(interrupts);
            int count = from.remaining();
            while (from.hasRemaining()) {
                if (writeNow(from) == 0) {
                    await(writable, ReadinessWait.Limit.NONE, interrupts);
                }
            }
            return count;
        } finally {
            writable.unlock();
        }
    }

    private void begin(Interrupts interrupts) throws IOException {
        if (channel.isBlocking()) {
            channel.configureBlocking(false);
        }
        if (interrupts == Interrupts.CLOSE && Thread.currentThread().isInterrupted()) {
            throw closedByInterrupt();
        }
    }

    private void await(ReadinessWait direction, ReadinessWait.Limit limit, Interrupts interrupts) throws IOException {
        if (!direction.await(limit, interrupts.close())) {
            throw closedByInterrupt();
        }
    }

    private ClosedByInterruptException closedByInterrupt() throws IOException {
        close();
        return new ClosedByInterruptException();
    }

    private int readNow(ByteBuffer into) throws IOException {
        int limit = into.limit();
        if (into.isDirect() || into.remaining() <= SLICE_SIZE) {
            return channel.read(into);
        }
        try {
            return channel.read(into.limit(into.position() + SLICE_SIZE));
        } finally {
            into.limit(limit);
        }
    }

    private int writeNow(ByteBuffer from) throws IOException {
        int limit = from.limit();
        if (from.isDirect() || from.remaining() <= SLICE_SIZE) {
            return channel.write(from);
        }
        try {
            return channel.write(from.limit(from.position() + SLICE_SIZE));
        } finally {
            from.limit(limit);
        }
    }

    /** Prepares the channel for an event loop, after any read or write in progress has ended. */
    void unblock() throws IOException {
        readable.lock();
        writable.lock();
        try {
            channel.configureBlocking(false);
        } finally {
            writable.unlock();
            readable.unlock();
        }
    }

    /** Closes the channel and wakes the waiting threads. */
    void close() throws IOException {
        try {
            channel.close();
        } finally {
            readable.wake();
            writable.wake();
        }
    }
}
