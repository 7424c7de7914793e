package io.broxy.core.internal.epoll;

import io.broxy.Connection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Connector;
import io.broxy.core.internal.net.DrivenSocket;
import io.broxy.core.internal.net.KernelBytes;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.StaysOnLoopException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connected socket of the engine's own on its loop.
 *
 * <p>Threading: owned by its event loop.
 */
final class EpollSocket extends DrivenSocket {
    private static final Logger log = LoggerFactory.getLogger(EpollSocket.class);

    private final EpollPoller poller;
    private final Libc libc;
    private final Registration registration;
    private final int fd;
    private final InetSocketAddress remote;
    private boolean outputEnded;

    /** The socket in the poller. Threading: owned by the event loop. */
    private final class Registration extends EpollPoller.Member {
        Registration(int fd) {
            super(fd);
        }

        @Override
        void ready(EventLoop receiver, int events) {
            int ops = interest & ops(events);
            if (ops != 0 && !receiver.deliver(handler(), ops)) {
                close();
            }
        }

        @Override
        void abandoned(EventLoop stopping, Throwable cause) {
            if (hasHandler()) {
                stopping.abandon(handler(), cause);
            }
            close();
        }
    }

    /** Takes over a connected, non-blocking socket, which is closed with this object. */
    EpollSocket(EventLoop loop, int fd, InetSocketAddress remote) {
        super(loop);
        this.poller = (EpollPoller) loop.poller();
        this.libc = poller.libc;
        this.fd = fd;
        this.remote = remote;
        this.registration = new Registration(fd);
        poller.add(registration);
    }

    /** As the other constructor, for a socket whose connect the poller has watched. */
    EpollSocket(EventLoop loop, EpollPoller.Member connecting, InetSocketAddress remote) {
        super(loop);
        this.poller = (EpollPoller) loop.poller();
        this.libc = poller.libc;
        this.fd = connecting.fd;
        this.remote = remote;
        this.registration = new Registration(fd);
        poller.replace(connecting, registration);
    }

    /**
     * The descriptor, for a call at once.
     *
     * @throws ClosedChannelException if it is closed, and another socket may have its number
     */
    int descriptor() throws ClosedChannelException {
        ensureOpen();
        return fd;
    }

    private static int ops(int events) {
        if ((events & (Libc.EPOLLERR | Libc.EPOLLHUP)) != 0) {
            return SelectionKey.OP_READ | SelectionKey.OP_WRITE;
        }
        return ((events & Libc.EPOLLIN) != 0 ? SelectionKey.OP_READ : 0)
                | ((events & Libc.EPOLLOUT) != 0 ? SelectionKey.OP_WRITE : 0);
    }

    @Override
    public void interest(int ops) {
        assert loop.inLoop();
        if (ops == interest || !isOpen()) {
            return;
        }
        interest = ops;
        poller.want(
                registration,
                ((ops & SelectionKey.OP_READ) != 0 ? Libc.EPOLLIN : 0)
                        | ((ops & SelectionKey.OP_WRITE) != 0 ? Libc.EPOLLOUT : 0));
        checkUnseen();
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (leftover.isPresent()) {
            return leftover.read(into);
        }
        ensureOpen();
        if (!into.isDirect()) {
            return readIntoHeap(into);
        }
        if (!into.hasRemaining()) {
            return 0;
        }
        int result = libc.call(Libc.RECV, fd, libc.positionOf(into), into.remaining(), 0);
        if (result == 0) {
            return -1;
        }
        int count = libc.moved(result);
        into.position(into.position() + count);
        return count;
    }

    private int readIntoHeap(ByteBuffer into) throws IOException {
        ByteBuffer transfer = loop.buffers().transfer();
        transfer.limit(Math.min(transfer.capacity(), into.remaining()));
        int count = read(transfer);
        into.put(transfer.flip());
        return count;
    }

    @Override
    protected int writeDirect(ByteBuffer from) throws IOException {
        ensureOpen();
        if (outputEnded) {
            throw new ClosedChannelException();
        }
        if (!from.hasRemaining()) {
            return 0;
        }
        int count = libc.moved(libc.call(Libc.SEND, fd, libc.positionOf(from), from.remaining(), Libc.MSG_NOSIGNAL));
        from.position(from.position() + count);
        return count;
    }

    @Override
    public @Nullable KernelBytes toKernel(LoopConnection sink) {
        if (!(sink instanceof EpollSocket other)
                || leftover.isPresent()
                || !isOpen()
                || !other.isOpen()
                || other.outputEnded) {
            return null;
        }
        KernelPipes.KernelPipe pipe = poller.pipes.take();
        return pipe == null ? null : new SplicedBytes(poller, pipe, this, other);
    }

    @Override
    public void shutdownOutput() throws IOException {
        outputEnded = true;
        if (isOpen() && libc.call(Libc.SHUTDOWN, fd, Libc.SHUT_WR) < 0 && libc.errno() != Errors.ENOTCONN) {
            throw libc.failure();
        }
    }

    @Override
    public void lookForBreak(Consumer<IOException> broken) {
        assert loop.inLoop();
        if (!isOpen() || outputEnded) {
            return;
        }
        libc.scratch.putInt(0, fd).putInt(4, 0); // struct pollfd that asks for errors and hang-ups only
        if (libc.call(Libc.POLL, libc.scratchAddress, 1, 0) > 0) {
            loop.execute(() -> {
                if (isOpen()) {
                    broken.accept(failureOfWrite());
                }
            });
        }
    }

    @Override
    public void close() {
        assert loop.inLoop();
        if (isOpen()) {
            over();
            leftover.release();
            poller.remove(registration);
            libc.close(fd);
        }
    }

    @Override
    public void abort() {
        if (isOpen()) {
            try {
                SocketOptionCalls.linger(libc, fd, 0);
            } catch (IOException e) {
                log.debug("resetting a connection failed; it is closed instead", e);
            }
            close();
        }
    }

    @Override
    public void moveTo(EventLoop other, Consumer<LoopConnection> arrived, Consumer<IOException> failed) {
        assert loop.inLoop();
        if (!isOpen()) {
            failed.accept(new ClosedChannelException());
            return;
        }
        ByteBuffer rest = leftover.takeAll();
        over();
        poller.release(registration);
        boolean moved = Connector.isAt(other)
                && other.tryExecute(() -> {
                    EpollSocket socket = new EpollSocket(other, fd, remote);
                    socket.unread(rest);
                    arrived.accept(socket);
                });
        if (!moved) {
            libc.close(fd);
            failed.accept(
                    Connector.isAt(other) ? new IOException("the event loop has stopped") : new StaysOnLoopException());
        }
    }

    @Override
    public SocketAddress remoteAddress() {
        return remote;
    }

    @Override
    public @Nullable SocketAddress localAddress() {
        if (!isOpen()) {
            return null;
        }
        try {
            return Descriptors.localAddress(libc, fd);
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    public void release(Consumer<Connection> ready, Consumer<IOException> failed) {
        close();
        failed.accept(new StaysOnLoopException());
    }
}
