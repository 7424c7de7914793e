package io.broxy.core.internal.epoll;

import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.AcceptedSocket;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Accepts clients at a socket of the engine's own.
 *
 * <p>Threading: owned by its event loop.
 */
final class EpollAcceptor extends Acceptor<AcceptedSocket> {
    private final EpollPoller poller;
    private final Registration registration;

    EpollAcceptor(EventLoop loop, int fd, Consumer<AcceptedSocket> accepted, Runnable closed) {
        super(loop, accepted, closed);
        this.poller = (EpollPoller) loop.poller();
        this.registration = new Registration(fd);
    }

    /** The socket in the poller. Threading: owned by the event loop. */
    private final class Registration extends EpollPoller.Member {
        Registration(int fd) {
            super(fd);
        }

        @Override
        void ready(EventLoop receiver, int events) {
            acceptReady();
        }

        @Override
        void abandoned(EventLoop stopping, Throwable cause) {
            close();
        }
    }

    /** A client that is on no loop yet. Threading: for one thread at a time. */
    private record Client(int fd, InetSocketAddress remoteAddress) implements AcceptedSocket {
        @Override
        public LoopConnection onLoop(EventLoop loop) {
            return new EpollSocket(loop, fd, remoteAddress);
        }

        @Override
        public void close() {
            new Libc().close(fd);
        }
    }

    @Override
    protected void register() {
        poller.add(registration);
        poller.want(registration, Libc.EPOLLIN);
    }

    @Override
    protected void await(boolean connections) {
        poller.want(registration, connections ? Libc.EPOLLIN : 0);
    }

    @Override
    protected void deregister(Runnable then) {
        poller.release(registration);
        then.run();
    }

    @Override
    protected @Nullable AcceptedSocket accept() throws IOException {
        Libc libc = poller.libc;
        libc.scratch.putInt(Libc.RESULTS, SocketAddresses.MAX_BYTES);
        int client = libc.call(
                Libc.ACCEPT4,
                registration.fd,
                libc.scratchAddress,
                libc.scratchAddress + Libc.RESULTS,
                Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
        if (client >= 0) {
            return new Client(client, SocketAddresses.get(libc.scratch));
        }
        int number = libc.errno();
        if (number == Errors.EAGAIN || number == Errors.EINTR || number == Errors.ECONNABORTED) {
            return null;
        }
        throw Errors.of(number);
    }

    @Override
    protected void closeServer() {
        poller.libc.close(registration.fd);
    }
}
