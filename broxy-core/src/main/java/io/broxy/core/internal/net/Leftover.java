package io.broxy.core.internal.net;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a connection that were read ahead, such as those after a proxy's reply, and that its user reads first.
 *
 * <p>Threading: thread-safe; the lock guards {@code bytes}; static methods access only their arguments.
 */
public final class Leftover {
    /** No bytes. */
    static final ByteBuffer NONE = ByteBuffer.allocate(0);

    private final Object lock = new Object();
    private @Nullable ByteBuffer bytes;
    /** Lets the many reads that find nothing skip the lock. */
    private volatile boolean present;

    public boolean isPresent() {
        return present;
    }

    /** Prepends a copy of some bytes. */
    public void unread(ByteBuffer more) {
        if (more.hasRemaining()) {
            synchronized (lock) {
                bytes = bytes == null ? copy(more) : joined(more, bytes);
                present = true;
            }
        }
    }

    /** Transfers as many bytes as fit; 0 only if there are none or the buffer has no room. */
    public int read(ByteBuffer into) {
        if (!present) {
            return 0;
        }
        synchronized (lock) {
            if (bytes == null) {
                return 0;
            }
            int count = move(bytes, into);
            if (!bytes.hasRemaining()) {
                bytes = null;
                present = false;
            }
            return count;
        }
    }

    public int remaining() {
        synchronized (lock) {
            return bytes == null ? 0 : bytes.remaining();
        }
    }

    /** Removes and returns all bytes, for another owner. */
    public ByteBuffer takeAll() {
        synchronized (lock) {
            ByteBuffer all = bytes == null ? NONE : bytes;
            bytes = null;
            present = false;
            return all;
        }
    }

    /** Transfers as many bytes as fit. */
    public static int move(ByteBuffer from, ByteBuffer into) {
        int count = Math.min(from.remaining(), into.remaining());
        into.put(into.position(), from, from.position(), count);
        into.position(into.position() + count);
        from.position(from.position() + count);
        return count;
    }

    /** Returns a copy on the heap, ready to be read. */
    public static ByteBuffer copy(ByteBuffer from) {
        return ByteBuffer.allocate(from.remaining()).put(from).flip();
    }

    /** Returns a copy of both on the heap, ready to be read. */
    public static ByteBuffer joined(ByteBuffer first, ByteBuffer second) {
        return ByteBuffer.allocate(first.remaining() + second.remaining())
                .put(first)
                .put(second)
                .flip();
    }
}
