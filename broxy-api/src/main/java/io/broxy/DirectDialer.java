package io.broxy;

import java.net.InetAddress;
import java.net.SocketOption;
import java.time.Duration;

/**
 * Dials targets directly over TCP.
 *
 * <p>A literal address is connected to at once. A name is resolved, and its addresses are raced as RFC 8305 says:
 * families interleaved, a new attempt each {@linkplain Builder#attemptDelay 250 ms} or as soon as one fails, the first
 * that connects wins and the others are closed. One time-out covers it all. The request's {@link AddressPolicy} is
 * asked for each address just before connecting to it.
 *
 * <p>Addresses are kept for a while. When none of the kept ones of a name can be connected to, the name is looked up once
 * more within the dial's time, and addresses that are new are tried.
 *
 * <p>Threading: immutable and thread-safe. {@code dial} of a literal address connects on the calling thread.
 */
public interface DirectDialer extends Dialer {

    /**
     * Forgets what is kept of a name, addresses or a failure: the next dial looks it up. A look-up that is under way serves
     * the dials that wait for it already, and its answer is not kept. A name of which nothing is kept, or a literal address,
     * changes nothing.
     *
     * @param host a name in any case, with or without a trailing dot
     * @throws IllegalArgumentException if it is no host
     */
    default void forget(String host) {
        forget(HostPort.of(host, 1));
    }

    /** As {@link #forget(String)} for the target's host; its port makes no difference. */
    void forget(HostPort target);

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Looks names up; default {@link Resolver#system()}. So many names are looked up at once in an engine: 64 by
         * {@link Resolver#system()}, and by resolvers of one's own 128 where the JVM has virtual threads, 64 elsewhere, or as
         * many as {@code Broxy.Builder.threads} says. The clients of one IPv4 address or IPv6 {@code /64} have a quarter of
         * them at most, so names that hang keep only the client waiting that asks for them; dials without a {@linkplain
         * DialRequest#client() client} may take all. Other look-ups wait, and clients take turns. A dial whose time ends
         * meanwhile fails with {@link DialException.Reason#TIMEOUT} and says how long it waited, and one fails at once with
         * {@link DialException.Reason#RESOLVE} while 10,000 other names wait, 2,500 of them for one client.
         */
        Builder resolver(Resolver resolver);

        /**
         * How long answers of the resolver are kept: found addresses (default 30 s) and names without any (an {@link
         * java.net.UnknownHostException}, default 5 s). Other failures are not kept. Zero keeps none. Only the latest 1,000 names are kept, each with up to 100 addresses.
         *
         * @throws IllegalArgumentException if one is negative
         */
        Builder resolverCache(Duration found, Duration failed);

        /**
         * The time of a dial whose request names none; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder timeout(Duration timeout);

        /**
         * The delay between the starts of two attempts (RFC 8305 section 5, "Connection Attempt Delay"); default 250 ms.
         *
         * @throws IllegalArgumentException if it is not within RFC 8305's 10 ms to 2 s
         */
        Builder attemptDelay(Duration delay);

        /** The local address to connect from; by default the system chooses. Addresses of the other family are not tried. */
        Builder localAddress(InetAddress address);

        /**
         * Sets an option on each socket before it connects. {@code TCP_NODELAY} and {@code SO_KEEPALIVE} are on unless
         * set otherwise here.
         *
         * @throws UnsupportedOperationException if sockets here don't know the option
         * @throws IllegalArgumentException if the value is no value of the option
         */
        <T> Builder option(SocketOption<T> option, T value);

        /** The dialer. */
        DirectDialer build();
    }
}
