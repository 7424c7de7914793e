package io.broxy.core.internal.epoll;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Functions and constants of the C library of Linux. The functions' addresses and the method handles that call them are constants,
 * so the JIT compiler inlines a call down to what it costs in C.
 *
 * <p>Threading: for one thread at a time.
 */
final class Libc {
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int SOCK_STREAM = 1;
    static final int SOCK_NONBLOCK = 0x800;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_SOCKET = 1;
    static final int SO_REUSEADDR = 2;
    static final int SO_LINGER = 13;
    static final int IPPROTO_TCP = 6;
    static final int TCP_NODELAY = 1;
    static final int IPPROTO_IPV6 = 41;
    static final int IPV6_V6ONLY = 26;
    static final int SHUT_WR = 1;
    /** Fails with EPIPE instead of raising SIGPIPE. */
    static final int MSG_NOSIGNAL = 0x4000;

    static final int EPOLLIN = 1;
    static final int EPOLLOUT = 4;
    static final int EPOLLERR = 8;
    static final int EPOLLHUP = 0x10;
    static final int EPOLLET = 1 << 31;
    static final int EPOLL_CTL_ADD = 1;
    static final int EPOLL_CTL_DEL = 2;
    static final int EPOLL_CTL_MOD = 3;
    static final int F_SETPIPE_SZ = 1031;
    static final int SPLICE_F_MOVE = 1;
    static final int SPLICE_F_NONBLOCK = 2;

    static final Object SOCKET;
    static final Object BIND;
    static final Object LISTEN;
    static final Object ACCEPT4;
    static final Object CONNECT;
    static final Object GETSOCKNAME;
    static final Object SETSOCKOPT;
    static final Object RECV;
    static final Object SEND;
    static final Object SPLICE;
    static final Object SHUTDOWN;
    static final Object POLL;
    static final Object EPOLL_CREATE1;
    static final Object EPOLL_CTL;
    static final Object EVENTFD;
    static final Object WRITE;
    static final Object PIPE2;
    static final Object FCNTL;

    // These two may block, which a prompt call must not.
    private static final Object EPOLL_WAIT;
    private static final Object CLOSE;

    private static final MethodHandle PROMPT_CALLS;
    private static final MethodHandle BLOCKING_CALLS;
    private static final MethodHandle ADDRESS_OF_BUFFER;

    static {
        try {
            ForeignFunctions functions = new ForeignFunctions();
            SOCKET = functions.address("socket");
            BIND = functions.address("bind");
            LISTEN = functions.address("listen");
            ACCEPT4 = functions.address("accept4");
            CONNECT = functions.address("connect");
            GETSOCKNAME = functions.address("getsockname");
            SETSOCKOPT = functions.address("setsockopt");
            RECV = functions.address("recv");
            SEND = functions.address("send");
            SPLICE = functions.address("splice");
            SHUTDOWN = functions.address("shutdown");
            CLOSE = functions.address("close");
            POLL = functions.address("poll");
            EPOLL_CREATE1 = functions.address("epoll_create1");
            EPOLL_CTL = functions.address("epoll_ctl");
            EPOLL_WAIT = functions.address("epoll_wait");
            EVENTFD = functions.address("eventfd");
            WRITE = functions.address("write");
            PIPE2 = functions.address("pipe2");
            FCNTL = functions.address("fcntl");
            PROMPT_CALLS = functions.promptCalls();
            BLOCKING_CALLS = functions.blockingCalls();
            ADDRESS_OF_BUFFER = ForeignFunctions.addressOfBuffer();
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Room in {@link #scratch} for what a call takes; its results go behind that. */
    static final int RESULTS = 64;

    private static final int SCRATCH_BYTES = 256;

    /** For addresses, options and the like, of one call; in native byte order. */
    final ByteBuffer scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES).order(ByteOrder.nativeOrder());

    final long scratchAddress = address(scratch);

    /** Where a call puts its error number. */
    private final Object errnoSegment;

    private final ByteBuffer errno;

    private @Nullable ByteBuffer lastBuffer;
    private long lastStart;

    Libc() {
        try {
            errnoSegment = ForeignFunctions.allocateErrno();
            errno = ForeignFunctions.asByteBuffer(errnoSegment).order(ByteOrder.nativeOrder());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The error number of the last call that failed. */
    int errno() {
        return errno.getInt(0);
    }

    /** The failure of the last call that failed, as NIO throws it. */
    IOException failure() {
        return Errors.of(errno());
    }

    /**
     * Passes the result of a call on if it has not failed.
     *
     * @throws IOException if it has
     */
    int checked(int result) throws IOException {
        if (result < 0) {
            throw failure();
        }
        return result;
    }

    /**
     * The number of bytes that a call has moved, which is 0 if nothing is ready.
     *
     * @throws IOException if the call has failed
     */
    int moved(int result) throws IOException {
        if (result < 0) {
            int number = errno();
            if (number != Errors.EAGAIN && number != Errors.EINTR) {
                throw Errors.of(number);
            }
            return 0;
        }
        return result;
    }

    /** The address of a direct buffer's position. To ask for it allocates, so that of the last buffer is kept. */
    @SuppressWarnings("ReferenceEquality") // equal buffers have other memory
    long positionOf(ByteBuffer direct) {
        if (direct != lastBuffer) {
            lastStart = address(direct) - direct.position();
            lastBuffer = direct;
        }
        return lastStart + direct.position();
    }

    /** The address of a direct buffer's position. */
    static long address(ByteBuffer direct) {
        try {
            return (long) ADDRESS_OF_BUFFER.invokeExact(direct);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * Calls a function that returns at once; it ignores the arguments that it has no parameters for.
     *
     * @return its result; -1 if it has failed
     */
    int call(Object function, long a, long b, long c, long d, long e, long f) {
        try {
            return (int) (long) PROMPT_CALLS.invokeExact(function, errnoSegment, a, b, c, d, e, f);
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    int call(Object function, long a, long b, long c, long d) {
        return call(function, a, b, c, d, 0, 0);
    }

    int call(Object function, long a, long b, long c) {
        return call(function, a, b, c, 0, 0, 0);
    }

    int call(Object function, long a, long b) {
        return call(function, a, b, 0, 0, 0, 0);
    }

    int call(Object function, long a) {
        return call(function, a, 0, 0, 0, 0, 0);
    }

    /** Waits for events; a timeout of -1 is no limit. */
    int epollWait(int epoll, long events, int maxEvents, int millis) {
        return millis == 0
                ? call(EPOLL_WAIT, epoll, events, maxEvents, 0)
                : callBlocking(EPOLL_WAIT, epoll, events, maxEvents, millis);
    }

    /**
     * Closes a descriptor, which waits if the socket has a positive {@code SO_LINGER}. It must not be used again: the next one that is
     * opened may get its number.
     */
    void close(int fd) {
        callBlocking(CLOSE, fd, 0, 0, 0); // Linux frees the number whatever this returns
    }

    private int callBlocking(Object function, long a, long b, long c, long d) {
        try {
            return (int) (long) BLOCKING_CALLS.invokeExact(function, errnoSegment, a, b, c, d, 0L, 0L);
        } catch (Throwable thrown) {
            throw failed(thrown);
        }
    }

    private static Error failed(Throwable failure) {
        return failure instanceof Error error
                ? error
                : new AssertionError("a call of the C library has thrown", failure);
    }
}
