package io.broxy.core.internal.epoll;

import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.socket.SocketOptions;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A non-blocking connect of a socket of the engine's own.
 *
 * <p>Threading: owned by its event loop.
 */
final class EpollConnect extends EpollPoller.Member implements Runnable {
    private final EpollPoller poller;
    private final InetSocketAddress address;
    private final Consumer<LoopConnection> connected;
    private final Consumer<IOException> failed;
    private boolean over;

    private EpollConnect(
            EpollPoller poller,
            int fd,
            InetSocketAddress address,
            Consumer<LoopConnection> connected,
            Consumer<IOException> failed) {
        super(fd);
        this.poller = poller;
        this.address = address;
        this.connected = connected;
        this.failed = failed;
    }

    static Runnable start(
            EventLoop loop,
            InetSocketAddress address,
            SocketOptions options,
            @Nullable InetAddress localAddress,
            Consumer<LoopConnection> connected,
            Consumer<IOException> failed)
            throws IOException {
        EpollPoller poller = (EpollPoller) loop.poller();
        Libc libc = poller.libc;
        boolean v4 = address.getAddress() instanceof Inet4Address;
        int fd = Descriptors.socket(libc, v4);
        try {
            options.applyTo((option, value) -> SocketOptionCalls.set(libc, fd, v4, option, value));
            if (localAddress != null) {
                Descriptors.bind(libc, fd, new InetSocketAddress(localAddress, 0), v4);
            }
        } catch (IOException | RuntimeException e) {
            libc.close(fd);
            throw e;
        }
        EpollConnect attempt = new EpollConnect(poller, fd, address, connected, failed);
        poller.add(attempt);
        attempt.connect(loop);
        if (!attempt.over) {
            attempt.connect(loop); // on the loopback, the handshake is complete when the first call returns
        }
        if (!attempt.over) {
            poller.want(attempt, Libc.EPOLLOUT);
        }
        return attempt;
    }

    /** The first call starts the connect; further ones ask for its result. */
    private void connect(EventLoop loop) {
        Libc libc = poller.libc;
        int length = SocketAddresses.put(libc.scratch, address);
        if (libc.call(Libc.CONNECT, fd, libc.scratchAddress, length) == 0) {
            succeed(loop);
            return;
        }
        int number = libc.errno();
        switch (number) {
            case Errors.EISCONN -> succeed(loop);
            case Errors.EINPROGRESS, Errors.EALREADY, Errors.EINTR -> {
                // still connecting
            }
            default -> {
                close();
                failed.accept(Errors.of(number));
            }
        }
    }

    private void succeed(EventLoop loop) {
        over = true;
        connected.accept(new EpollSocket(loop, this, address));
    }

    @Override
    void ready(EventLoop loop, int events) {
        connect(loop);
    }

    @Override
    void abandoned(EventLoop loop, Throwable cause) {
        close();
        failed.accept(cause instanceof IOException e ? e : new IOException(cause));
    }

    /** Cancels the attempt. */
    @Override
    public void run() {
        if (!over) {
            close();
        }
    }

    private void close() {
        over = true;
        poller.remove(this);
        poller.libc.close(fd);
    }
}
