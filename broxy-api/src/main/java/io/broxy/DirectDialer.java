package io.broxy;

import java.net.InetAddress;
import java.net.SocketOption;
import java.time.Duration;

/**
 * Dials targets directly over TCP.
 *
 * <p>A literal address is connected to at once. A name is resolved, and its addresses are raced as RFC 8305 specifies:
 * families interleaved, a new attempt every {@linkplain Builder#attemptDelay 250 ms} or as soon as one fails; the first
 * attempt that connects wins, and the others are closed. One timeout covers everything. The request's {@link
 * AddressPolicy} decides about each address just before connecting to it.
 *
 * <p>Addresses are cached for a while. If none of a name's cached addresses can be connected to, the name is looked up
 * once more within the dial's timeout, and new addresses are tried.
 *
 * <p>Threading: immutable and thread-safe. {@code dial} of a literal address connects on the calling thread.
 */
public interface DirectDialer extends Dialer {

    /**
     * Drops what is cached for a name, addresses or a failure: the next dial looks it up. A lookup in progress serves
     * the dials that already wait for it, and its result is not cached. For an uncached name or a literal address the
     * call has no effect.
     *
     * @param host a name in any case, with or without a trailing dot
     * @throws IllegalArgumentException if it is not a host
     */
    default void forget(String host) {
        forget(HostPort.of(host, 1));
    }

    /** As {@link #forget(String)} for the target's host; its port makes no difference. */
    void forget(HostPort target);

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Looks names up; default {@link Resolver#system()}. An engine runs this many lookups at once: 64 by {@link
         * Resolver#system()}; by other resolvers 128 where the JVM has virtual threads, or else 64; or as many as
         * {@code BroxyBuilder.threads} says. The clients of one IPv4 address or IPv6 {@code /64} get a quarter of them
         * at most, so names that hang delay only the client that asks for them; dials without a {@linkplain
         * DialRequest#client() client} may take all. Other lookups wait, and clients take turns. A dial that times out
         * meanwhile fails with {@link DialException.Reason#TIMEOUT}, and its message says how long it waited. While
         * 10,000 other names wait, or 2,500 for the same client, a dial fails at once with {@link
         * DialException.Reason#RESOLVE}.
         */
        Builder resolver(Resolver resolver);

        /**
         * How long results of the resolver are cached: addresses (default 30 s) and names without any (an {@link
         * java.net.UnknownHostException}, default 5 s). Other failures are not cached. Zero caches none. The latest
         * 1,000 names are cached, each with up to 100 addresses.
         *
         * @throws IllegalArgumentException if one is negative
         */
        Builder resolverCache(Duration found, Duration failed);

        /**
         * The timeout of a dial whose request has none; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder timeout(Duration timeout);

        /**
         * The delay between the starts of two attempts (RFC 8305 section 5, "Connection Attempt Delay"); default 250
         * ms.
         *
         * @throws IllegalArgumentException if it is not within RFC 8305's 10 ms to 2 s
         */
        Builder attemptDelay(Duration delay);

        /**
         * The local address to connect from; by default the system chooses it. Addresses of the other family are not
         * tried.
         */
        Builder localAddress(InetAddress address);

        /**
         * Sets an option on each socket before it connects. {@code TCP_NODELAY} and {@code SO_KEEPALIVE} are on unless
         * set otherwise here.
         *
         * @throws UnsupportedOperationException if the platform's sockets do not support the option
         * @throws IllegalArgumentException if the option does not accept the value
         */
        <T> Builder option(SocketOption<T> option, T value);

        /** Builds the dialer. */
        DirectDialer build();
    }
}
