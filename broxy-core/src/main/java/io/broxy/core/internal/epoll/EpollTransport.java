package io.broxy.core.internal.epoll;

import io.broxy.core.internal.loop.Acceptor;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Poller;
import io.broxy.core.internal.net.AcceptedSocket;
import io.broxy.core.internal.net.NativeTransport;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sockets of Linux, through the C library.
 *
 * <p>Threading: thread-safe.
 */
public final class EpollTransport implements NativeTransport {
    private static final Logger log = LoggerFactory.getLogger(EpollTransport.class);

    private EpollTransport() {}

    /** The transport; null where the system, the JVM or its settings do not allow it, which is logged at DEBUG. */
    public static @Nullable EpollTransport open() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return none("the system is not Linux", null);
        }
        if (!isNativeAccessEnabled()) {
            return none(
                    "the JVM is older than Java 22, or its option --enable-native-access does not name Broxy's module",
                    null);
        }
        try {
            new EpollPoller().close();
            return new EpollTransport();
        } catch (IOException | LinkageError | RuntimeException e) {
            return none("the C library cannot be called", e);
        }
    }

    private static @Nullable EpollTransport none(String why, @Nullable Throwable cause) {
        log.debug("NIO is used instead of sockets of the engine's own: {}", why, cause);
        return null;
    }

    /** Whether the JVM allows native access without a warning. */
    private static boolean isNativeAccessEnabled() {
        try {
            return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(EpollTransport.class.getModule());
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    @Override
    public String name() {
        return "broxy-epoll";
    }

    @Override
    public Poller openPoller() throws IOException {
        return new EpollPoller();
    }

    @Override
    public Bound bind(InetSocketAddress address, int backlog) throws IOException {
        Libc libc = new Libc();
        boolean v4 = address.getAddress() instanceof Inet4Address
                && (!address.getAddress().isAnyLocalAddress() || Boolean.getBoolean("java.net.preferIPv4Stack"));
        int fd = Descriptors.socket(libc, v4);
        try {
            if (!v4) {
                SocketOptionCalls.set(libc, fd, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 0);
            }
            SocketOptionCalls.set(libc, fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1);
            SocketOptionCalls.set(libc, fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1); // its clients inherit it
            Descriptors.bind(libc, fd, address, v4);
            libc.checked(libc.call(Libc.LISTEN, fd, backlog));
            return new Listening(fd, Descriptors.localAddress(libc, fd));
        } catch (IOException | RuntimeException e) {
            libc.close(fd);
            throw e;
        }
    }

    /** Threading: for one thread at a time. */
    private record Listening(int fd, InetSocketAddress localAddress) implements Bound {
        @Override
        public Acceptor<?> onLoop(EventLoop loop, Consumer<AcceptedSocket> accepted, Runnable closed) {
            return new EpollAcceptor(loop, fd, accepted, closed);
        }

        @Override
        public void close() {
            new Libc().close(fd);
        }
    }
}
