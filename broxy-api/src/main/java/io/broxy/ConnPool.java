package io.broxy;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Keeps connections for reuse and leases them.
 *
 * <pre>{@code
 * ConnPool pool = broxy.connPool().build();
 * ConnPool.Key key = ConnPool.Key.of(HostPort.parse("cache.example:6379"), broxy.directDialer().build());
 * try (ConnPool.Lease lease = pool.lease(key)) {
 *     ask(lease.connection());
 *     lease.giveBack(); // the response is read completely; without this the connection is closed
 * }
 * }</pre>
 *
 * <p>The most recently used connection is leased first, so that connections that are not needed grow old and are
 * evicted. An idle connection stays registered with its event loop: the end of the stream or an unsolicited byte evicts
 * it at once, and both are checked again when it is given back and when it is leased. Connections that are idle too
 * long, too old or too many are evicted as well; so are connections over which Broxy itself speaks HTTP and that the
 * peer will not keep any longer ({@code Keep-Alive}).
 *
 * <p>Idle connections need an event loop that watches them, so only Broxy's own are kept: those of its dialers and
 * those that {@code Broxy.asConnection} makes of a channel. Others, among them every connection over a {@link
 * java.net.Socket} without a channel, are leased as well, but {@link Lease#giveBack()} closes them.
 *
 * <p>If the number of open connections is capped, a lease past the cap waits; waiting leases are served in the order of
 * their arrival.
 *
 * <p>Threading: thread-safe.
 */
public interface ConnPool extends AutoCloseable {

    /**
     * Where a pool's connections lead, how they are opened and for whom. Connections of equal hops are interchangeable,
     * those of others never mix.
     *
     * <p>Threading: immutable.
     *
     * @param address what is dialled
     * @param dialer opens the connections. It is a part of what makes hops equal: connections that were opened another
     *     way, such as through another proxy or with TLS, are other connections. A dialer equals itself only, unless
     *     its author says otherwise
     * @param identity whose connections they are, such as a user's name where a connection is authenticated once for
     *     all that goes over it; empty where that makes no difference. It is compared and never shown
     * @param client for whom its connections are dialled, where the dialer {@linkplain Dialer#sendsClientAddress()
     *     announces} that; null for nobody in particular. The caps of a hop hold for all its clients together
     */
    record Key(HostPort address, Dialer dialer, String identity, DialRequest.@Nullable Client client) {

        /** Checks that all but the client are there. */
        public Key {
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(dialer, "dialer");
            Objects.requireNonNull(identity, "identity");
        }

        /** A hop for nobody in particular. */
        public Key(HostPort address, Dialer dialer, String identity) {
            this(address, dialer, identity, null);
        }

        /** A hop for everybody. */
        public static Key of(HostPort address, Dialer dialer) {
            return new Key(address, dialer, "");
        }

        /** This hop for somebody. */
        public Key withIdentity(String identity) {
            return new Key(address, dialer, identity, client);
        }

        /** This hop for the connections of one client; null for nobody in particular. */
        public Key forClient(DialRequest.@Nullable Client client) {
            return Objects.equals(client, this.client) ? this : new Key(address, dialer, identity, client);
        }

        /** Names the address alone. */
        @Override
        public String toString() {
            return "Key[" + address + (identity.isEmpty() ? "" : ", with an identity")
                    + (client == null ? "" : ", for a client") + "]";
        }
    }

    /**
     * Leases a connection, waiting no longer than {@linkplain Builder#leaseTimeout the pool's timeout}.
     *
     * @return the lease, which the caller must end
     * @throws DialException if there is none in time
     * @throws IllegalStateException if the pool is closed
     */
    Lease lease(Key hop) throws DialException;

    /**
     * Leases a connection: an idle one, or else a new one, which the calling thread dials. Interrupting the thread ends
     * the attempt with {@link DialException.Reason#CANCELLED} and leaves the interrupt status set.
     *
     * @param timeout covers waiting for the caps to allow a connection, and dialing
     * @return the lease, which the caller must end
     * @throws DialException if there is none in time: {@link DialException.Reason#POOL_EXHAUSTED} if the caps did not
     *     allow one, {@link DialException.Reason#CANCELLED} if the pool was closed meanwhile, or the reason why dialing
     *     failed
     * @throws IllegalArgumentException if the timeout is not positive
     * @throws IllegalStateException if the pool is closed, or the caller runs on an event loop
     */
    Lease lease(Key hop, Duration timeout) throws DialException;

    /**
     * Leases a connection without blocking the caller. The future fails with a {@link DialException} as {@link
     * #lease(Hop, Duration)} does. Completing or canceling it ends the attempt; a connection that comes too late goes
     * back to the pool.
     *
     * @return completes with the lease, off Broxy's event loops
     * @throws IllegalArgumentException if the timeout is not positive
     * @throws IllegalStateException if the pool is closed
     */
    CompletableFuture<Lease> leaseAsync(Key hop, Duration timeout);

    /**
     * Keeps this many connections of a key open and idle, in addition to those in use, until the next call for the key.
     * They are opened on event loops at short intervals. While the address is down, or its peer closes connections as
     * soon as they are open, it is tried with one connection at a time and at growing intervals of up to 30 s. Spares
     * never wait for the caps: those that a cap does not allow are missing until it does. A key whose connections the
     * pool cannot keep is given up with a warning.
     *
     * @param spares how many; 0 stops keeping spares, and idle connections stay idle
     * @throws IllegalArgumentException if it is negative or more than the idle caps can hold
     * @throws IllegalStateException if the pool is closed
     */
    void warm(Key hop, int spares);

    /** A snapshot of the pool's counters. */
    PoolStats stats();

    /**
     * Ends the pool: idle connections are closed, waiting leases fail with {@link DialException.Reason#CANCELLED}, and
     * leased connections are closed when their leases end, unless they are detached. Repeated calls have no effect.
     */
    @Override
    void close();

    /**
     * The temporary ownership of a connection. A lease ends in {@link #giveBack}, {@link #detach} or {@link #close};
     * the first call counts and later ones have no effect, so a lease fits into a try-with-resources statement.
     *
     * <p>A lease that is dropped without an end holds its place until it and its connection are garbage; then the
     * connection is closed. See {@link Builder#reportLeaks}.
     *
     * <p>Threading: thread-safe.
     */
    interface Lease extends AutoCloseable {

        /** The connection. Closing it does not end the lease. */
        Connection connection();

        /**
         * Whether the connection was idle in the pool before. If so, its peer may have closed it a moment ago, and a
         * request that fails before any response may be worth one more try.
         */
        boolean wasIdle();

        /**
         * Gives the connection back for reuse. The caller has read every response completely and does not use the
         * connection anymore. The next user gets it as new: the read timeout and the options that were set on {@link
         * Connection#asSocket() its socket} are reset, and that socket is closed for its current user. If the
         * connection was closed meanwhile, if either direction has ended, or if a buffer size was set, which cannot be
         * reset, this call closes it as {@link #close} does.
         *
         * @throws IllegalStateException if the connection has passed to another owner, such as a relay; the lease has
         *     then ended as by {@link #detach}
         */
        void giveBack();

        /** Passes the connection to the caller, who must close it; the pool and its caps no longer count it. */
        void detach();

        /** Closes the connection, unless the lease has already ended. */
        @Override
        void close();
    }

    /** Collects the settings of a pool. Threading: for one thread. */
    interface Builder {

        /**
         * How many idle connections of one hop are kept, for all its clients together; default 10. Of more, the one
         * that has been idle longest goes. 0 keeps none, but a connection still passes from a lease that ends to one
         * that waits.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder maxIdlePerHop(int max);

        /**
         * The most idle connections in all; default 100. Past this limit the one that has been idle longest is evicted,
         * spares of {@link ConnPool#warm} last.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder maxIdle(int max);

        /**
         * How long a connection may be idle; default 90 s. It is less if the peer promises less with {@code Keep-Alive:
         * timeout=...}, or has closed another idle connection sooner within the last minute.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder idleTimeout(Duration timeout);

        /**
         * The age after which a connection is no longer leased, so that the pool follows changes of a name's addresses;
         * default 10 min. A connection in use is not affected.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder maxAge(Duration age);

        /**
         * How many connections of one hop may be open, idle, leased or being dialled, for all its clients together;
         * default no limit. An idle one of another client is closed to make room.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxOpenPerHop(int max);

        /**
         * The most open connections in all; default no limit. An idle one of another hop is closed to make room.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxOpen(int max);

        /**
         * The timeout of a lease without its own, and of a spare's dial; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder leaseTimeout(Duration timeout);

        /**
         * Records the stack trace of each {@code oneIn}-th lease, and logs a warning with it if the lease becomes
         * garbage without an end. Recording costs some microseconds. Default 0: none is recorded; lost leases are
         * counted anyway, see {@link PoolStats#leaked}.
         *
         * @param oneIn 1 for each lease, 0 for none
         * @throws IllegalArgumentException if it is negative
         */
        Builder reportLeaks(int oneIn);

        /** Builds the pool. It is closed with its {@code Broxy}, if not before. */
        ConnPool build();
    }
}
