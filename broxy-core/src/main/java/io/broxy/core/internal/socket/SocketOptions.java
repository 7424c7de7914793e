package io.broxy.core.internal.socket;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Options for new sockets. {@code TCP_NODELAY} and {@code SO_KEEPALIVE} are on by default: a proxy forwards bytes without
 * waiting for more, and vanished peers are detected.
 *
 * <p>Threading: immutable.
 */
public final class SocketOptions {
    /** Only the defaults. */
    public static final SocketOptions DEFAULT = new SocketOptions(
            Map.of(StandardSocketOptions.TCP_NODELAY, true, StandardSocketOptions.SO_KEEPALIVE, true));

    private final Map<SocketOption<?>, Object> values;

    private SocketOptions(Map<SocketOption<?>, Object> values) {
        this.values = values;
    }

    /**
     * These options and one more, or one with another value.
     *
     * @throws UnsupportedOperationException if this system's sockets do not have the option
     * @throws IllegalArgumentException if the value is not valid for the option
     */
    public <T> SocketOptions with(SocketOption<T> option, T value) {
        if (!option.type().isInstance(value)) {
            throw new IllegalArgumentException(
                    option.name() + " wants a " + option.type().getSimpleName() + ", not a "
                            + value.getClass().getSimpleName());
        }
        try (SocketChannel probe = SocketChannel.open()) {
            probe.setOption(option, value);
        } catch (IOException e) {
            throw new UncheckedIOException("the option " + option.name() + " could not be tried on a socket", e);
        }
        Map<SocketOption<?>, Object> more = new LinkedHashMap<>(values);
        more.put(option, value);
        return new SocketOptions(more);
    }

    /** Sets the options on a socket that has not been connected yet. */
    public void applyTo(SocketChannel channel) throws IOException {
        for (Map.Entry<SocketOption<?>, Object> option : values.entrySet()) {
            set(channel, option.getKey(), option.getValue());
        }
    }

    @SuppressWarnings("unchecked") // with() takes only values of the option's type
    private static <T> void set(SocketChannel channel, SocketOption<T> option, Object value) throws IOException {
        channel.setOption(option, (T) value);
    }
}
