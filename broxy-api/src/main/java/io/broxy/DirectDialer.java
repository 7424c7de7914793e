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
 * <p>Threading: immutable and thread-safe. {@code dial} of a literal address connects on the calling thread.
 */
public interface DirectDialer extends Dialer {

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Who looks names up; default {@link Resolver#system()}. A dial fails at once with {@link
         * DialException.Reason#RESOLVE} while 10,000 other names wait to be looked up.
         */
        Builder resolver(Resolver resolver);

        /**
         * How long answers of the resolver are kept: found addresses (default 30 s) and failures (default 5 s). Zero
         * keeps none. Only the latest 1,000 names are kept, each with up to 100 addresses.
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
