package io.broxy.core.internal.epoll;

import java.io.IOException;
import java.net.InetSocketAddress;

/** Sockets as their descriptors. Threading: for the thread of the {@link Libc}. */
final class Descriptors {
    private Descriptors() {}

    /** Opens a non-blocking TCP socket that no child process inherits. */
    static int socket(Libc libc, boolean v4) throws IOException {
        int type = Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
        return libc.checked(libc.call(Libc.SOCKET, v4 ? Libc.AF_INET : Libc.AF_INET6, type, 0));
    }

    static void bind(Libc libc, int fd, InetSocketAddress local, boolean v4) throws IOException {
        int length = SocketAddresses.put(libc.scratch, local, v4);
        libc.checked(libc.call(Libc.BIND, fd, libc.scratchAddress, length));
    }

    /** The address that a socket is bound to. */
    static InetSocketAddress localAddress(Libc libc, int fd) throws IOException {
        libc.scratch.putInt(Libc.RESULTS, SocketAddresses.MAX_BYTES);
        libc.checked(libc.call(Libc.GETSOCKNAME, fd, libc.scratchAddress, libc.scratchAddress + Libc.RESULTS));
        return SocketAddresses.get(libc.scratch);
    }
}
