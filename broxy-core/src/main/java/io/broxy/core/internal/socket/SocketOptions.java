package io.broxy.core.internal.socket;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Options for new sockets. {@code TCP_NODELAY} and {@code SO_KEEPALIVE} are on by default: a proxy forwards bytes without
 * waiting for more, and vanished peers are detected.
 *
 * <p>Threading: immutable.
 */
public final class SocketOptions {
    /** Only the defaults. */
    public static final SocketOptions DEFAULT = new SocketOptions(List.of(
            new Setting<>(StandardSocketOptions.TCP_NODELAY, true),
            new Setting<>(StandardSocketOptions.SO_KEEPALIVE, true)));

    private final List<Setting<?>> settings;

    private SocketOptions(List<Setting<?>> settings) {
        this.settings = List.copyOf(settings);
    }

    /** One option with its value. Threading: immutable. */
    private record Setting<T>(SocketOption<T> option, T value) {
        void applyTo(SocketChannel channel) throws IOException {
            channel.setOption(option, value);
        }

        void applyTo(Target target) throws IOException {
            target.set(option, value);
        }
    }

    /** A socket that is no NIO channel. */
    public interface Target {
        /** Sets an option. */
        void set(SocketOption<?> option, Object value) throws IOException;
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
        List<Setting<?>> more = new ArrayList<>(settings);
        more.removeIf(setting -> setting.option.equals(option));
        more.add(new Setting<>(option, value));
        return new SocketOptions(more);
    }

    /** Sets the options on a socket that has not been connected yet. */
    public void applyTo(SocketChannel channel) throws IOException {
        for (int i = 0; i < settings.size(); i++) { // no iterator for each socket
            settings.get(i).applyTo(channel);
        }
    }

    /** As the other method. */
    public void applyTo(Target target) throws IOException {
        for (int i = 0; i < settings.size(); i++) {
            settings.get(i).applyTo(target);
        }
    }
}
