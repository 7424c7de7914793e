package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.EventLoop;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a connection on a loop that were read too far and are the first to be read again, in a buffer of the loop.
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

    /** Puts bytes, which are copied, before those that are here. */
    public void unread(ByteBuffer more) {
        if (more.hasRemaining()) {
            ByteBuffer all = bytes == null ? more : Leftover.joined(more, bytes);
            release();
            bytes = loop.buffers().hold(all);
        }
    }

    /** Moves as many bytes as fit: 0 only if there are none here or no room there. */
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

    /** Takes all of them as a copy on the heap, for another owner. */
    public ByteBuffer takeAll() {
        ByteBuffer all = bytes == null ? Leftover.NONE : Leftover.copy(bytes);
        release();
        return all;
    }

    /** Drops them. */
    public void release() {
        if (bytes != null) {
            loop.buffers().release(bytes);
            bytes = null;
        }
    }
}
