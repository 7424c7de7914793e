package io.broxy.core.internal.relay;

import io.broxy.CopyException;
import io.broxy.core.internal.loop.BufferPool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.WritableByteChannel;

/** Copies between channels on the calling thread, through the thread's buffer of the pool. Threading: thread-safe. */
public final class ChannelCopier {
    /** A blocking channel transfers bytes on each call; one that transfers none in this many calls in a row is broken. */
    private static final int MAX_IDLE_CALLS = 1_000;

    private final BufferPool buffers;

    /** Creates a copier over a pool. */
    public ChannelCopier(BufferPool buffers) {
        this.buffers = buffers;
    }

    /** As {@link io.broxy.Copier#copy}. */
    public long copy(ReadableByteChannel source, WritableByteChannel sink) throws CopyException {
        requireBlocking(source);
        requireBlocking(sink);
        ByteBuffer buffer = buffers.borrow();
        try {
            return copy(source, sink, buffer);
        } finally {
            buffers.giveBack(buffer);
        }
    }

    private static long copy(ReadableByteChannel source, WritableByteChannel sink, ByteBuffer buffer)
            throws CopyException {
        long copied = 0;
        int idleCalls = 0;
        while (true) {
            int count;
            try {
                count = source.read(buffer.clear());
            } catch (IOException e) {
                throw new CopyException("reading failed", copied, e);
            }
            if (count < 0) {
                return copied;
            }
            idleCalls = count > 0 ? 0 : idled(idleCalls, "reading", copied);
            buffer.flip();
            while (buffer.hasRemaining()) {
                try {
                    count = sink.write(buffer);
                } catch (IOException e) {
                    throw new CopyException("writing failed", copied, e);
                }
                copied += count;
                idleCalls = count > 0 ? 0 : idled(idleCalls, "writing", copied);
            }
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // nothing to wait for: the channel should have blocked
    private static int idled(int idleCalls, String what, long copied) throws CopyException {
        if (idleCalls == MAX_IDLE_CALLS) {
            throw new CopyException(
                    what + " made no progress",
                    copied,
                    new IOException("the channel neither blocks nor transfers bytes"));
        }
        Thread.yield();
        return idleCalls + 1;
    }

    private static void requireBlocking(Channel channel) {
        if (channel instanceof SelectableChannel selectable && !selectable.isBlocking()) {
            throw new IllegalBlockingModeException();
        }
    }
}
