package io.broxy.core.internal.epoll;

import java.io.IOException;
import java.net.SocketException;
import java.net.SocketOption;
import java.util.Map;

/** The options that NIO's sockets have on Linux, as calls of {@code setsockopt}. Threading: for the thread of the {@link Libc}. */
final class SocketOptionCalls {
    private static final int IPPROTO_IP = 0;
    private static final int IP_TOS = 1;
    private static final int IPV6_TCLASS = 67;

    /** The level and the number of an option whose value is a number or a truth value. Threading: immutable. */
    private record Call(int level, int option) {}

    private static final Map<String, Call> SIMPLE = Map.ofEntries(
            Map.entry("TCP_NODELAY", new Call(Libc.IPPROTO_TCP, Libc.TCP_NODELAY)),
            Map.entry("SO_KEEPALIVE", new Call(Libc.SOL_SOCKET, 9)),
            Map.entry("SO_REUSEADDR", new Call(Libc.SOL_SOCKET, Libc.SO_REUSEADDR)),
            Map.entry("SO_REUSEPORT", new Call(Libc.SOL_SOCKET, 15)),
            Map.entry("SO_SNDBUF", new Call(Libc.SOL_SOCKET, 7)),
            Map.entry("SO_RCVBUF", new Call(Libc.SOL_SOCKET, 8)),
            Map.entry("TCP_KEEPIDLE", new Call(Libc.IPPROTO_TCP, 4)),
            Map.entry("TCP_KEEPINTERVAL", new Call(Libc.IPPROTO_TCP, 5)),
            Map.entry("TCP_KEEPCOUNT", new Call(Libc.IPPROTO_TCP, 6)),
            Map.entry("TCP_QUICKACK", new Call(Libc.IPPROTO_TCP, 12)),
            Map.entry("SO_OOBINLINE", new Call(Libc.SOL_SOCKET, 10)));

    private SocketOptionCalls() {}

    /**
     * Sets an option.
     *
     * @param v4 whether the socket is of the family IPv4
     */
    static void set(Libc libc, int fd, boolean v4, SocketOption<?> option, Object value) throws IOException {
        Call call = SIMPLE.get(option.name());
        if (call != null) {
            set(libc, fd, call.level, call.option, number(value));
        } else if (option.name().equals("SO_LINGER")) {
            linger(libc, fd, (Integer) value);
        } else if (option.name().equals("IP_TOS")) {
            if (!v4) {
                set(libc, fd, Libc.IPPROTO_IPV6, IPV6_TCLASS, (Integer) value);
            }
            set(libc, fd, IPPROTO_IP, IP_TOS, (Integer) value); // an IPv6 socket may connect to a mapped address
        } else {
            throw new SocketException("the option " + option.name() + " is not supported");
        }
    }

    private static int number(Object value) {
        return value instanceof Boolean on ? (on ? 1 : 0) : (Integer) value;
    }

    /** Sets an option whose value is an {@code int}. */
    static void set(Libc libc, int fd, int level, int option, int value) throws IOException {
        libc.scratch.putInt(0, value);
        libc.checked(libc.call(Libc.SETSOCKOPT, fd, level, option, libc.scratchAddress, 4, 0));
    }

    /** Sets how long closing waits; 0 makes it send RST, and a negative number is the system's default. */
    static void linger(Libc libc, int fd, int seconds) throws IOException {
        libc.scratch.putInt(0, seconds < 0 ? 0 : 1).putInt(4, Math.max(seconds, 0));
        libc.checked(libc.call(Libc.SETSOCKOPT, fd, Libc.SOL_SOCKET, Libc.SO_LINGER, libc.scratchAddress, 8, 0));
    }
}
