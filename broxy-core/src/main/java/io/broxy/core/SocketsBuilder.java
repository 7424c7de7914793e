package io.broxy.core;

import io.broxy.Dialer;
import io.broxy.core.internal.socket.DialingSocketFactory;
import io.broxy.core.internal.socket.DialingTlsSocketFactory;
import io.broxy.core.internal.socket.SocketSettings;
import java.net.SocketOption;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;

/**
 * Makes factories of {@code java.net} sockets that a dialer connects: for JDBC drivers, HTTP clients and other libraries
 * that take a {@link SocketFactory}, an {@link SSLSocketFactory} or the name of such a class. {@link Broxy#sockets}
 * makes one. Each of {@link #plain}, {@link #tls} and {@link #register(String)} uses the settings of that moment, and the
 * builder may be used further.
 *
 * <p>An unresolved name goes to the dialer as a name, and {@link #names} says what becomes of a resolved one. An IPv6
 * address keeps its scope.
 *
 * <p>Such a socket has no channel. All options of the JDK's own sockets may be set before and after the connect, and
 * closing the socket ends a connect in progress. A connect without a timeout has the dialer's. An interrupt has no
 * effect on a platform thread, not even in a connect, and closes the socket on a virtual thread, as with the JDK's own
 * sockets.
 *
 * <p>A socket reports the address that it reached. Behind a proxy, and with a user-written dialer that makes its own
 * connections, that address is unknown: the socket reports the address that it was asked to connect to, and if it was
 * asked for an unresolved name, {@link java.net.Socket#getInetAddress} is null and {@link
 * java.net.Socket#getRemoteSocketAddress} unresolved. A connect fails with the exception that sockets use if there is one
 * ({@link java.net.ConnectException}, {@link java.net.SocketTimeoutException}, {@link java.net.UnknownHostException},
 * {@link java.net.NoRouteToHostException}, with the {@link io.broxy.DialException} as its cause), and otherwise with the
 * {@link io.broxy.DialException} itself.
 *
 * <p>Threading: for one thread; the factories are thread-safe.
 */
public final class SocketsBuilder {
    private final EngineParts parts;
    private SocketSettings settings;
    private boolean endpointIdentification = true;

    /** What the dialer gets for an address that carries the host name by which it was looked up. */
    public enum Names {
        /**
         * The host name, so that the domain rules of a {@link io.broxy.RoutingDialer} apply, denials included, and a
         * proxy resolves it. For libraries that resolve names themselves. An address without a name, or with one that is
         * no {@link io.broxy.HostPort}, goes to the dialer as it is.
         *
         * <p>Nothing is looked up for this, but a name that an earlier {@link java.net.InetAddress#getHostName()} has put
         * into the address by a reverse lookup counts, too. All addresses of a name are one target, so a library that
         * connects to a certain one of them needs {@link #ADDRESS}.
         */
        PREFER_HOST,
        /** The address, whatever name led to it. */
        ADDRESS
    }

    SocketsBuilder(Dialer dialer, EngineParts parts) {
        this.parts = parts;
        this.settings = SocketSettings.of(Objects.requireNonNull(dialer, "dialer"));
    }

    /** What becomes of addresses that carry a host name; default {@link Names#PREFER_HOST}. */
    public SocketsBuilder names(Names names) {
        settings = settings.withPreferHost(Objects.requireNonNull(names, "names") == Names.PREFER_HOST);
        return this;
    }

    /**
     * The initial {@code SO_TIMEOUT} of the sockets; default zero, which means none. A library may set another one.
     *
     * @throws IllegalArgumentException if it is negative, or more than 2^31-1 milliseconds; a part of a millisecond is
     *     rounded up
     */
    public SocketsBuilder readTimeout(Duration timeout) {
        if (timeout.isNegative() || timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException(
                    "a read timeout is within 0 and " + Integer.MAX_VALUE + " ms, not " + timeout);
        }
        settings = settings.withReadTimeout((int) timeout.plusNanos(999_999).toMillis());
        return this;
    }

    /**
     * Sets an option on each socket, before a library may set it again. By default the options are those of the dialer,
     * for a {@link io.broxy.DirectDialer} {@code TCP_NODELAY} and {@code SO_KEEPALIVE}.
     *
     * @throws UnsupportedOperationException if the platform's sockets do not support the option
     * @throws IllegalArgumentException if the option does not accept the value
     */
    public <T> SocketsBuilder option(SocketOption<T> option, T value) {
        settings = settings.withOption(option, Objects.requireNonNull(value, "value"));
        return this;
    }

    /**
     * Whether the certificate of a TLS peer must be valid for the host that was asked for (RFC 9110 section 4.3.4);
     * default true. It sets {@link javax.net.ssl.SSLParameters#setEndpointIdentificationAlgorithm} to {@code HTTPS} on
     * each socket. The JDK's own factories set nothing, so with them any certificate that is trusted is valid for every
     * host, unless the library checks the host itself. Turn it off for servers whose certificates name other hosts, and
     * for libraries whose own, more lenient check is to decide; a library may also set the algorithm of a socket to the
     * empty string.
     */
    public SocketsBuilder endpointIdentification(boolean on) {
        endpointIdentification = on;
        return this;
    }

    /** Returns a factory of plain sockets. */
    public SocketFactory plain() {
        return new DialingSocketFactory(settings);
    }

    /**
     * Returns a factory of TLS sockets: unconnected, connected, and laid over a connected socket of any kind. They name
     * the host that was asked for to the server (SNI, RFC 6066 section 3), also where {@link Names#ADDRESS} dials its
     * address; in all else they are the {@link javax.net.ssl.SSLSocket}s of the context. The handshake begins with the
     * first read or write, or with {@link javax.net.ssl.SSLSocket#startHandshake}; its reads have the socket's read
     * timeout.
     *
     * @param context has the trust and the keys
     */
    public SSLSocketFactory tls(SSLContext context) {
        return new DialingTlsSocketFactory(
                settings, Objects.requireNonNull(context, "context"), endpointIdentification);
    }

    /**
     * Registers the sockets by a name, under which {@link NamedSockets} and {@link NamedTlsSockets} find them, for
     * libraries that want the name of a class. TLS is that of the JVM's default context at that time.
     *
     * @param name of the registration; {@code default} is the one that is used where none is named
     * @return ends the registration, which the end of this engine does, too
     * @throws IllegalArgumentException if the name is blank
     * @throws IllegalStateException if the name is taken, by any engine of this JVM
     */
    public SocketRegistration register(String name) {
        SocketSettings now = settings;
        boolean identifying = endpointIdentification;
        return register(name, () -> new DialingTlsSocketFactory(now, DefaultTls.context(), identifying));
    }

    /**
     * Registers the sockets as {@link #register(String)} does, with a TLS context of its own.
     *
     * @throws IllegalArgumentException if the name is blank
     * @throws IllegalStateException if the name is taken, by any engine of this JVM
     */
    public SocketRegistration register(String name, SSLContext context) {
        SSLSocketFactory tls = tls(context);
        return register(name, () -> tls);
    }

    private SocketRegistration register(String name, Supplier<SSLSocketFactory> tls) {
        return parts.add(SocketRegistration.of(name, plain(), tls, parts.open()::remove));
    }
}
