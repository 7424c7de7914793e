package io.broxy.core.internal.epoll;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's pipes of one loop. A pipe is in use from a read until all of it is written, so all tunnels of a loop share one, and only
 * a tunnel whose sink is full keeps one.
 *
 * <p>Threading: owned by the loop of the poller.
 */
final class KernelPipes {
    /** The size that is asked for: what Linux allows to every user, see pipe(7). */
    private static final int WANTED_SIZE = 1 << 20;

    /**
     * The least size that is of use. A user with many pipes gets smaller ones, down to one page: {@code pipe-user-pages-soft} in
     * pipe(7). Copying is faster than these.
     */
    private static final int MIN_SIZE = 256 << 10;

    /** The most pipes that are kept for later. */
    private static final int MAX_SPARE = 4;

    /** The most pipes of a loop; further tunnels copy. */
    private static final int MAX_PIPES = 64;

    private final Libc libc;
    private final int wantedSize;
    private final ArrayDeque<KernelPipe> spare = new ArrayDeque<>();
    private int open;
    private boolean refused;

    /**
     * A pipe. Threading: owned by the loop.
     *
     * @param source the descriptor that is read from
     * @param sink the descriptor that is written to
     */
    record KernelPipe(int source, int sink, int size) {}

    KernelPipes(Libc libc) {
        this(libc, WANTED_SIZE);
    }

    KernelPipes(Libc libc, int wantedSize) {
        this.libc = libc;
        this.wantedSize = wantedSize;
    }

    /** An empty pipe; null if there are too many, or the system gives none that is of use. */
    @Nullable
    KernelPipe take() {
        KernelPipe pipe = spare.poll();
        return pipe != null || refused || open == MAX_PIPES ? pipe : create();
    }

    private @Nullable KernelPipe create() {
        if (libc.call(Libc.PIPE2, libc.scratchAddress, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK) < 0) {
            return null;
        }
        int source = libc.scratch.getInt(0);
        int sink = libc.scratch.getInt(4);
        open++;
        int size = libc.call(Libc.FCNTL, sink, Libc.F_SETPIPE_SZ, wantedSize);
        KernelPipe pipe = new KernelPipe(source, sink, size);
        if (pipe.size < MIN_SIZE) {
            refused = open == 1;
            close(pipe);
            return null;
        }
        return pipe;
    }

    /** Takes an empty pipe back. */
    void putBack(KernelPipe pipe) {
        if (spare.size() < MAX_SPARE) {
            spare.push(pipe);
        } else {
            close(pipe);
        }
    }

    /** Closes a pipe, and discards what is in it. */
    void close(KernelPipe pipe) {
        open--;
        libc.close(pipe.source);
        libc.close(pipe.sink);
    }

    /** Closes the spare pipes. */
    void close() {
        for (KernelPipe pipe; (pipe = spare.poll()) != null; ) {
            close(pipe);
        }
    }
}
