package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.EventLoop;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;

/**
 * The common part of sockets on a loop, whose calls of the system take direct buffers.
 *
 * <p>Threading: owned by its event loop.
 */
public abstract class DrivenSocket extends DrivenConnection {
    protected DrivenSocket(EventLoop loop) {
        super(loop, new LoopLeftover(loop));
    }

    /** As {@link #write}, of a direct buffer. */
    protected abstract int writeDirect(ByteBuffer from) throws IOException;

    @Override
    public final int write(ByteBuffer from) throws IOException {
        return from.isDirect() ? writeDirect(from) : writeFromHeap(from);
    }

    private int writeFromHeap(ByteBuffer from) throws IOException {
        int written = 0;
        while (from.hasRemaining()) {
            ByteBuffer slice = loop.buffers().transfer();
            int start = from.position();
            int count = Math.min(slice.remaining(), from.remaining());
            slice.put(0, from, start, count).limit(count);
            int out = writeDirect(slice);
            from.position(start + out);
            written += out;
            if (out < count) {
                break;
            }
        }
        return written;
    }

    /** The failure of a write on a connection that has hung up. */
    protected final IOException failureOfWrite() {
        try {
            writeDirect(loop.buffers().transfer().limit(1)); // never reaches the peer, since the connection has broken
            return new SocketException("the connection has hung up");
        } catch (IOException e) {
            return e;
        }
    }

    @Override
    protected final int unseenOps() {
        return leftover.isPresent() ? interest & SelectionKey.OP_READ : 0;
    }
}
