package io.broxy;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

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
 * <p>The most recently used connection is leased first, so that connections that are not needed grow old and are evicted. An
 * idle connection stays registered with its event loop: the end of the stream or an unsolicited byte evicts it at once, and
 * both are checked again when it is leased. Connections that are idle too long, too old or too many are evicted as well; so are
 * connections over which Broxy itself speaks HTTP and that the peer will not keep any longer ({@code Keep-Alive}).
 *
 * <p>Idle connections need an event loop that watches them, so only Broxy's own are kept: those of its dialers and
 * those that {@code Broxy.asConnection} makes of a channel. Others, among them every connection over a {@link
 * java.net.Socket} without a channel, are leased as well, but {@link Lease#giveBack()} closes them.
 *
 * <p>A connection whose far end was told of a client of a {@link ProxyHandler} ({@link Dialer#sendsClientAddress()}) serves that
 * client's one request or tunnel and is closed after it. Leases taken here name no client in their dials, and their connections
 * are kept like any others.
 *
 * <p>Where the open connections are capped, a lease beyond the cap waits, and waiting leases are served in the order of
 * their arrival.
 *
 * <p>Threading: thread-safe.
 */
public interface ConnPool extends AutoCloseable {

    /**
     * Where a pool's connections lead, how they are opened and whose they are. Connections of equal keys are interchangeable,
     * those of others never mix.
     *
     * <p>Threading: immutable.
     *
     * @param address what is dialed
     * @param dialer opens the connections. It is a part of what makes keys equal: connections that were opened another way,
     *     such as through another proxy or with TLS, are other connections. A dialer equals itself only, unless its author
     *     says otherwise
     * @param identity whose connections they are, such as a user's name where a connection is authenticated once for all
     *     that goes over it; empty where that makes no difference. It is compared and never shown
     */
    record Key(HostPort address, Dialer dialer, String identity) {

        /** Checks that all of it is there. */
        public Key {
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(dialer, "dialer");
            Objects.requireNonNull(identity, "identity");
        }

        /** A key without an identity. */
        public static Key of(HostPort address, Dialer dialer) {
            return new Key(address, dialer, "");
        }

        /** This key for one identity. */
        public Key withIdentity(String identity) {
            return new Key(address, dialer, identity);
        }

        /** Names the address alone. */
        @Override
        public String toString() {
            return "Key[" + address + (identity.isEmpty() ? "" : ", with an identity") + "]";
        }
    }

    /**
     * Leases a connection, waiting no longer than {@linkplain Builder#leaseTimeout the pool's timeout}.
     *
     * @return the lease, which the caller must end
     * @throws DialException if there is none in time
     * @throws IllegalStateException if the pool is closed
     */
    Lease lease(Key key) throws DialException;

    /**
     * Leases a connection: an idle one, or else a new one, which the calling thread dials. Interrupting the thread ends
     * the attempt with {@link DialException.Reason#CANCELLED} and leaves the interrupt status set.
     *
     * @param timeout for all of it: waiting for the caps to allow a connection, and dialing
     * @return the lease, to be ended by the caller
     * @throws DialException if there is none in time: {@link DialException.Reason#POOL_EXHAUSTED} if the caps did not allow
     *     one, {@link DialException.Reason#CANCELLED} if the pool was closed meanwhile, or why dialing failed
     * @throws IllegalArgumentException if the timeout is not positive
     * @throws IllegalStateException if the pool is closed, or the caller runs on an event loop
     */
    Lease lease(Key key, Duration timeout) throws DialException;

    /**
     * Leases a connection without blocking the caller. The future fails with a {@link DialException} as {@link #lease(Key,
     * Duration)} does. Ending it from outside ends the attempt; a connection that comes too late goes back to the pool.
     *
     * @return completes with the lease, off Broxy's event loops
     * @throws IllegalArgumentException if the timeout is not positive
     * @throws IllegalStateException if the pool is closed
     */
    CompletableFuture<Lease> leaseAsync(Key key, Duration timeout);

    /**
     * Keeps this many connections of a key open and idle, beside those in use, until the next call. They are opened on event
     * loops a little apart from each other; while the far end is down, or closes them as soon as they are open, it is tried by
     * one connection at a time and at growing intervals up to 30 s. They never wait for the caps: what a cap does not
     * allow is missing until it does. A key whose connections the pool cannot keep is given up with a warning.
     *
     * @param spares how many; 0 stops keeping spares, and idle connections stay idle
     * @throws IllegalArgumentException if it is negative or more than the idle caps can hold
     * @throws IllegalStateException if the pool is closed
     */
    void warm(Key key, int spares);

    /** A snapshot of the pool's counters. */
    PoolStats stats();

    /**
     * Ends the pool: idle connections are closed, waiting leases get {@link DialException.Reason#CANCELLED}, and leased
     * connections are closed when their leases end, unless they are detached. Repeated calls change nothing.
     */
    @Override
    void close();

    /**
     * A connection for a time. It ends in {@link #giveBack}, {@link #detach} or {@link #close}; the first of them counts and
     * later calls do nothing, so that {@code close} fits a try-with-resources statement.
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
         * Gives the connection back for another use: all responses have been read, and the caller does not touch it any
         * more. Its next user gets it as new: the read timeout and the options that were set on {@link
         * Connection#asSocket() its socket} are undone, and that socket is closed. If it was
         * closed meanwhile, if either direction has ended, or if a buffer size was set, which cannot be undone, this is as
         * {@link #close}.
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
         * The most idle connections of one key; default 10. Past this limit the one that has been idle longest is evicted. 0
         * keeps none, but a connection still passes from a lease that ends to one that waits.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder maxIdlePerKey(int max);

        /**
         * The most idle connections in all; default 100. Past this limit the one that has been idle longest is evicted,
         * spares of {@link ConnPool#warm} last.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder maxIdle(int max);

        /**
         * How long a connection may be idle; default 90 s. It is less where a peer promises less with {@code Keep-Alive:
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
         * How many connections of one key may be open, idle, leased or being dialed; default no limit.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxOpenPerKey(int max);

        /**
         * How many connections may be open in all; default no limit. An idle one of another key is closed to make room.
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
