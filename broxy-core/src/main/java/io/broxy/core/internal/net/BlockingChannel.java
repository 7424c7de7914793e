package io.broxy.core.internal.net;

import io.broxy.core.internal.socket.Interrupts;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * Reads and writes of a {@link SocketChannel} that block, though the channel does not: it is put into non-blocking mode
 * before the first of them, and threads wait here. So a write takes all of a buffer whatever another thread does, a read can
 * be limited in time, and an interrupt closes the channel only where that is wanted; the JDK's blocking reads and writes
 * promise none of these.
 *
 * <p>Buffers on the heap go in slices: the JDK copies them through a direct buffer of their size, which the thread keeps.
 *
 * <p>Threading: thread-safe; a lock for each direction lets one thread read while another writes. The locks are held while a
 * thread waits for its peer.
 */
final class BlockingChannel {
    /** The most bytes that are read or written at once of a buffer on the heap. */
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
     * Reads at least one byte, or gives -1 at the end of the stream.
     *
     * @param limitNanos how long to wait; 0 means without limit
     * @throws SocketTimeoutException if nothing comes in time; reading may go on afterwards
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

    /** Writes all bytes. After a failure the buffer's position says how many have gone out. */
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

    /** Prepares the channel for an event loop, once a read or a write that is under way has ended. */
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

    /** Closes the channel and ends the waits. */
    void close() throws IOException {
        try {
            channel.close();
        } finally {
            readable.wake();
            writable.wake();
        }
    }
}
