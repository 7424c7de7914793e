package io.broxy.core.internal.socket;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketOptions;
import java.net.StandardSocketOptions;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Passes the options of a {@link java.net.SocketImpl}, which have numbers or names, on to another {@link Socket}: through the
 * methods that every socket has where there are some, for not every socket knows options by name.
 *
 * <p>Threading: as the socket's.
 */
final class ImplOptions {
    /** The only option with a number and without a public name. */
    static final SocketOption<Boolean> OOB_INLINE = new Unnamed();

    private static final Map<Integer, SocketOption<?>> BY_NUMBER = Map.of(
            SocketOptions.TCP_NODELAY, StandardSocketOptions.TCP_NODELAY,
            SocketOptions.SO_KEEPALIVE, StandardSocketOptions.SO_KEEPALIVE,
            SocketOptions.SO_LINGER, StandardSocketOptions.SO_LINGER,
            SocketOptions.SO_SNDBUF, StandardSocketOptions.SO_SNDBUF,
            SocketOptions.SO_RCVBUF, StandardSocketOptions.SO_RCVBUF,
            SocketOptions.SO_REUSEADDR, StandardSocketOptions.SO_REUSEADDR,
            SocketOptions.SO_REUSEPORT, StandardSocketOptions.SO_REUSEPORT,
            SocketOptions.IP_TOS, StandardSocketOptions.IP_TOS,
            SocketOptions.SO_OOBINLINE, OOB_INLINE);

    /** The JDK's sockets list it among the options that they support, but it can only be read. */
    private static final String READ_ONLY = "SO_INCOMING_NAPI_ID";

    /** {@code SO_OOBINLINE}. Threading: immutable. */
    private static final class Unnamed implements SocketOption<Boolean> {
        @Override
        public String name() {
            return "SO_OOBINLINE";
        }

        @Override
        public Class<Boolean> type() {
            return Boolean.class;
        }
    }

    private ImplOptions() {}

    /**
     * The option that has a number.
     *
     * @throws SocketException if there is none
     */
    static SocketOption<?> named(int number) throws SocketException {
        SocketOption<?> option = BY_NUMBER.get(number);
        if (option == null) {
            throw new SocketException("a socket has no option " + number);
        }
        return option;
    }

    /** The value by name of an option that was set by number: there {@code false} turns an option off, whatever its type. */
    static Object valueByName(SocketOption<?> option, Object value) {
        return option.equals(StandardSocketOptions.SO_LINGER) && value instanceof Boolean ? Integer.valueOf(-1) : value;
    }

    /** The options that can be both read and set by name. */
    static Set<SocketOption<?>> supported(Socket socket) {
        Set<SocketOption<?>> names = new LinkedHashSet<>(socket.supportedOptions());
        names.removeIf(
                option -> option.name().equals(READ_ONLY) || option.name().equals(OOB_INLINE.name()));
        return Set.copyOf(names);
    }

    /**
     * Sets an option.
     *
     * @throws UnsupportedOperationException if the socket does not know it
     */
    static void set(Socket socket, SocketOption<?> option, Object value) throws IOException {
        switch (option.name()) {
            case "TCP_NODELAY" -> socket.setTcpNoDelay((Boolean) value);
            case "SO_KEEPALIVE" -> socket.setKeepAlive((Boolean) value);
            case "SO_OOBINLINE" -> socket.setOOBInline((Boolean) value);
            case "SO_REUSEADDR" -> socket.setReuseAddress((Boolean) value);
            case "SO_SNDBUF" -> socket.setSendBufferSize((Integer) value);
            case "SO_RCVBUF" -> socket.setReceiveBufferSize((Integer) value);
            case "IP_TOS" -> socket.setTrafficClass((Integer) value);
            case "SO_LINGER" -> socket.setSoLinger((Integer) value >= 0, Math.max(0, (Integer) value));
            default -> setByName(socket, option, value);
        }
    }

    @SuppressWarnings("unchecked") // the socket itself checks what it cannot use
    private static <T> void setByName(Socket socket, SocketOption<T> option, Object value) throws IOException {
        socket.setOption(option, (T) value);
    }

    /**
     * Reads an option.
     *
     * @throws UnsupportedOperationException if the socket does not know it
     */
    static Object get(Socket socket, SocketOption<?> option) throws IOException {
        return switch (option.name()) {
            case "TCP_NODELAY" -> socket.getTcpNoDelay();
            case "SO_KEEPALIVE" -> socket.getKeepAlive();
            case "SO_OOBINLINE" -> socket.getOOBInline();
            case "SO_REUSEADDR" -> socket.getReuseAddress();
            case "SO_SNDBUF" -> socket.getSendBufferSize();
            case "SO_RCVBUF" -> socket.getReceiveBufferSize();
            case "IP_TOS" -> socket.getTrafficClass();
            case "SO_LINGER" -> socket.getSoLinger();
            default -> socket.getOption(option);
        };
    }
}
