package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.EventLoop;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a connection on a loop that were read ahead and are read first, in a buffer of the loop.
 *
 * <p>Threading: owned by its event loop.
 */
public final class LoopLeftover {
    private final EventLoop loop;
    private @Nullable ByteBuffer bytes;

    public LoopLeftover(EventLoop loop) {
        this.loop = loop;
    }

    public boolean isPresent() {
        return bytes != null;
    }

    /** Prepends a copy of some bytes. */
    public void unread(ByteBuffer more) {
        if (more.hasRemaining()) {
            ByteBuffer all = bytes == null ? more : Leftover.joined(more, bytes);
            release();
            bytes = loop.buffers().hold(all);
        }
    }

    /** Transfers as many bytes as fit; 0 only if there are none or the buffer has no room. */
    public int read(ByteBuffer into) {
        if (bytes == null) {
            return 0;
        }
        int count = Leftover.move(bytes, into);
        if (!bytes.hasRemaining()) {
            release();
        }
        return count;
    }

    /** Removes all bytes and returns them as a copy on the heap, for another owner. */
    public ByteBuffer takeAll() {
        ByteBuffer all = bytes == null ? Leftover.NONE : Leftover.copy(bytes);
        release();
        return all;
    }

    /** Discards all bytes. */
    public void release() {
        if (bytes != null) {
            loop.buffers().release(bytes);
            bytes = null;
        }
    }
}
