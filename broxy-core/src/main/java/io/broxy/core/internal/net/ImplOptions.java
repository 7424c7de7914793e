package io.broxy.core.internal.net;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketOptions;
import java.net.StandardSocketOptions;
import java.util.Map;
import java.util.Set;

/**
 * What a {@link java.net.SocketImpl} is asked for by number, passed on to another {@link Socket}.
 *
 * <p>Threading: as the socket's.
 */
final class ImplOptions {
    private static final Map<SocketOption<?>, Integer> NUMBERS = Map.of(
            StandardSocketOptions.TCP_NODELAY, SocketOptions.TCP_NODELAY,
            StandardSocketOptions.SO_KEEPALIVE, SocketOptions.SO_KEEPALIVE,
            StandardSocketOptions.SO_LINGER, SocketOptions.SO_LINGER,
            StandardSocketOptions.SO_SNDBUF, SocketOptions.SO_SNDBUF,
            StandardSocketOptions.SO_RCVBUF, SocketOptions.SO_RCVBUF,
            StandardSocketOptions.SO_REUSEADDR, SocketOptions.SO_REUSEADDR,
            StandardSocketOptions.IP_TOS, SocketOptions.IP_TOS);

    /** What every TCP socket has, by name and by number. */
    static final Set<SocketOption<?>> SUPPORTED = NUMBERS.keySet();

    private ImplOptions() {}

    /**
     * The number of an option.
     *
     * @throws UnsupportedOperationException if it has none
     */
    static int number(SocketOption<?> option) {
        Integer number = NUMBERS.get(option);
        if (number == null) {
            throw new UnsupportedOperationException("a socket has no option " + option.name());
        }
        return number;
    }

    static void set(Socket socket, int option, Object value) throws SocketException {
        switch (option) {
            case SocketOptions.TCP_NODELAY -> socket.setTcpNoDelay((Boolean) value);
            case SocketOptions.SO_KEEPALIVE -> socket.setKeepAlive((Boolean) value);
            case SocketOptions.SO_OOBINLINE -> socket.setOOBInline((Boolean) value);
            case SocketOptions.SO_REUSEADDR -> socket.setReuseAddress((Boolean) value);
            case SocketOptions.SO_TIMEOUT -> socket.setSoTimeout((Integer) value);
            case SocketOptions.SO_SNDBUF -> socket.setSendBufferSize((Integer) value);
            case SocketOptions.SO_RCVBUF -> socket.setReceiveBufferSize((Integer) value);
            case SocketOptions.IP_TOS -> socket.setTrafficClass((Integer) value);
            case SocketOptions.SO_LINGER ->
                socket.setSoLinger(value instanceof Integer, value instanceof Integer seconds ? seconds : 0);
            default -> throw new SocketException("a socket has no option " + option);
        }
    }

    static Object get(Socket socket, int option) throws SocketException {
        return switch (option) {
            case SocketOptions.TCP_NODELAY -> socket.getTcpNoDelay();
            case SocketOptions.SO_KEEPALIVE -> socket.getKeepAlive();
            case SocketOptions.SO_OOBINLINE -> socket.getOOBInline();
            case SocketOptions.SO_REUSEADDR -> socket.getReuseAddress();
            case SocketOptions.SO_TIMEOUT -> socket.getSoTimeout();
            case SocketOptions.SO_SNDBUF -> socket.getSendBufferSize();
            case SocketOptions.SO_RCVBUF -> socket.getReceiveBufferSize();
            case SocketOptions.IP_TOS -> socket.getTrafficClass();
            case SocketOptions.SO_LINGER -> socket.getSoLinger();
            case SocketOptions.SO_BINDADDR -> socket.getLocalAddress();
            default -> throw new SocketException("a socket has no option " + option);
        };
    }

    /** What an option is before there is a connection: off, or not known. */
    static Object unset(int option) throws SocketException {
        return switch (option) {
            case SocketOptions.TCP_NODELAY,
                    SocketOptions.SO_KEEPALIVE,
                    SocketOptions.SO_OOBINLINE,
                    SocketOptions.SO_REUSEADDR -> false;
            case SocketOptions.SO_TIMEOUT, SocketOptions.SO_SNDBUF, SocketOptions.SO_RCVBUF, SocketOptions.IP_TOS -> 0;
            case SocketOptions.SO_LINGER -> -1;
            case SocketOptions.SO_BINDADDR -> new InetSocketAddress(0).getAddress();
            default -> throw new SocketException("a socket has no option " + option);
        };
    }
}
