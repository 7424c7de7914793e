package io.broxy.core.internal.socket;

import io.broxy.Dialer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketOption;

/**
 * What the sockets of a factory have in common.
 *
 * <p>Threading: immutable.
 */
public final class SocketSettings {
    final Dialer dialer;
    /** Whether an address that carries a host name is dialed by that name. */
    final boolean preferHost;
    /** The initial read timeout, 0 for none. */
    final int readTimeoutMillis;

    private final EarlyOptions options;

    private SocketSettings(Dialer dialer, boolean preferHost, int readTimeoutMillis, EarlyOptions options) {
        this.dialer = dialer;
        this.preferHost = preferHost;
        this.readTimeoutMillis = readTimeoutMillis;
        this.options = options;
    }

    /** The defaults: host names are preferred, reads have no timeout, and options are the dialer's. */
    public static SocketSettings of(Dialer dialer) {
        return new SocketSettings(dialer, true, 0, new EarlyOptions());
    }

    /** The same with other addresses for the dialer. */
    public SocketSettings withPreferHost(boolean prefer) {
        return new SocketSettings(dialer, prefer, readTimeoutMillis, options);
    }

    /** The same with another read timeout, 0 for none. */
    public SocketSettings withReadTimeout(int millis) {
        return new SocketSettings(dialer, preferHost, millis, options);
    }

    /**
     * The same with one more option, or one with another value.
     *
     * @throws UnsupportedOperationException if this system's sockets do not have the option
     * @throws IllegalArgumentException if the value is not valid for the option
     */
    public <T> SocketSettings withOption(SocketOption<T> option, T value) {
        if (!option.type().isInstance(value)) {
            throw new IllegalArgumentException(
                    option.name() + " wants a " + option.type().getSimpleName() + ", not a "
                            + value.getClass().getSimpleName());
        }
        EarlyOptions more = options();
        try {
            more.set(option, value);
        } catch (IOException e) {
            throw new UncheckedIOException("the option " + option.name() + " could not be tried on a socket", e);
        }
        return new SocketSettings(dialer, preferHost, readTimeoutMillis, more);
    }

    /** The options of one more socket. */
    EarlyOptions options() {
        return new EarlyOptions(options);
    }
}
