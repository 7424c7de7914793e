package io.broxy.core.internal.epoll;

import io.broxy.core.internal.net.KernelBytes;
import java.io.IOException;

/**
 * Bytes that {@code splice(2)} moves from a socket into a pipe and from there to another socket.
 *
 * <p>Threading: owned by the loop of both sockets.
 */
final class SplicedBytes implements KernelBytes {
    private static final int FLAGS = Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK;

    private final EpollPoller poller;
    private final KernelPipes.KernelPipe pipe;
    private final EpollSocket from;
    private final EpollSocket to;
    private int remaining;

    SplicedBytes(EpollPoller poller, KernelPipes.KernelPipe pipe, EpollSocket from, EpollSocket to) {
        this.poller = poller;
        this.pipe = pipe;
        this.from = from;
        this.to = to;
    }

    @Override
    public int read() throws IOException {
        int count = splice(from.descriptor(), pipe.sink(), pipe.size());
        if (count == 0) {
            return -1;
        }
        remaining = poller.libc.moved(count);
        return remaining;
    }

    @Override
    public int write() throws IOException {
        int count = poller.libc.moved(splice(pipe.source(), to.descriptor(), remaining));
        remaining -= count;
        return count;
    }

    private int splice(int source, int sink, int count) {
        return poller.libc.call(Libc.SPLICE, source, 0, sink, 0, count, FLAGS);
    }

    @Override
    public int remaining() {
        return remaining;
    }

    @Override
    public int capacity() {
        return pipe.size();
    }

    @Override
    public void release() {
        if (remaining == 0) {
            poller.pipes.putBack(pipe);
        } else {
            poller.pipes.close(pipe);
        }
    }
}
