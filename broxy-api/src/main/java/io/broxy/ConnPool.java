package io.broxy;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Keeps connections for another use and leases them.
 *
 * <pre>{@code
 * ConnPool pool = broxy.connPool().build();
 * ConnPool.Key hop = ConnPool.Key.of(HostPort.parse("cache.example:6379"), broxy.directDialer().build());
 * try (ConnPool.Lease lease = pool.lease(hop)) {
 *     ask(lease.connection());
 *     lease.giveBack(); // all is read and the peer waits for more; without this the connection is closed
 * }
 * }</pre>
 *
 * <p>The connection that was used last is leased first, so that what is not needed grows old and goes. An idle connection
 * stays registered with its event loop: the end of the stream, or a byte that nobody asked for, evicts it at once, and both
 * are looked for once more when it is given back and when it is leased. What lies idle too long, is too old or is too many is
 * evicted too; so is, where Broxy itself speaks HTTP over it, what its peer will not keep any longer ({@code Keep-Alive}).
 *
 * <p>Idle connections need an event loop that watches them, so only Broxy's own are kept: those of its dialers and those
 * that {@code Broxy.asConnection} makes of a channel. Others, among them every connection over a {@link java.net.Socket}
 * without a channel, are leased all the same, but {@link Lease#giveBack()} closes them.
 *
 * <p>Where the open connections are capped, a lease beyond the cap waits, and those who wait are served in the order of
 * their arrival.
 *
 * <p>Threading: thread-safe.
 */
public interface ConnPool extends AutoCloseable {

    /**
     * Where a pool's connections lead, how they are opened and for whom. Connections of equal hops are interchangeable, those
     * of others never mix.
     *
     * <p>Threading: immutable.
     *
     * @param address what is dialled
     * @param dialer opens the connections. It is a part of what makes hops equal: connections that were opened another way,
     *     such as through another proxy or with TLS, are other connections. A dialer equals itself only, unless its author
     *     says otherwise
     * @param identity whose connections they are, such as a user's name where a connection is authenticated once for all
     *     that goes over it; empty where that makes no difference. It is compared and never shown
     * @param client for whom its connections are dialled, where the dialer {@linkplain Dialer#sendsClientAddress() announces} that;
     *     null for nobody in particular. The caps of a hop hold for all its clients together
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
     * Leases a connection, waiting no longer than {@linkplain Builder#leaseTimeout the pool's time-out}.
     *
     * @return the lease, to be ended by the caller
     * @throws DialException if there is none in time
     * @throws IllegalStateException if the pool is closed
     */
    Lease lease(Key hop) throws DialException;

    /**
     * Leases a connection: an idle one, or else a new one, which the calling thread dials. Interrupting it ends the attempt
     * with {@link DialException.Reason#CANCELLED}, the interrupt status set.
     *
     * @param timeout for all of it: waiting for the caps to allow a connection, and dialing
     * @return the lease, to be ended by the caller
     * @throws DialException if there is none in time: {@link DialException.Reason#POOL_EXHAUSTED} if the caps did not allow
     *     one, {@link DialException.Reason#CANCELLED} if the pool was closed meanwhile, or why dialing failed
     * @throws IllegalArgumentException if the time-out is not positive
     * @throws IllegalStateException if the pool is closed, or the caller runs on an event loop
     */
    Lease lease(Key hop, Duration timeout) throws DialException;

    /**
     * Leases a connection without blocking the caller. The future fails with a {@link DialException} as {@link #lease(Hop,
     * Duration)} does. Ending it from outside ends the attempt; a connection that comes too late goes back to the pool.
     *
     * @return completes with the lease, off Broxy's event loops
     * @throws IllegalArgumentException if the time-out is not positive
     * @throws IllegalStateException if the pool is closed
     */
    CompletableFuture<Lease> leaseAsync(Key hop, Duration timeout);

    /**
     * Keeps so many connections of a hop connected and idle, beside those in use, until told otherwise. They are opened on
     * event loops a little apart from each other; while the hop is down, or closes them as soon as they stand, it is tried
     * by one connection at a time and at growing intervals up to 30 s. They never wait for the caps: what a cap does not
     * allow is missing until it does. A hop whose connections the pool cannot keep is given up with a warning.
     *
     * @param spares how many; 0 ends it, and what is idle stays so
     * @throws IllegalArgumentException if it is negative or more than the idle caps can hold
     * @throws IllegalStateException if the pool is closed
     */
    void warm(Key hop, int spares);

    /** How the pool is doing. */
    PoolStats stats();

    /**
     * Ends the pool: idle connections are closed, whoever waits gets {@link DialException.Reason#CANCELLED}, and leased
     * connections are closed when their leases end, unless they are detached. Repeated calls change nothing.
     */
    @Override
    void close();

    /**
     * A connection for a time. It ends in {@link #giveBack}, {@link #detach} or {@link #close}; the first of them counts and
     * later calls do nothing, so that {@code close} may stand in a try-with-resources statement.
     *
     * <p>One that is dropped without an end holds its place until it and its connection are garbage; then the connection is
     * closed. See {@link Builder#reportLeaks}.
     *
     * <p>Threading: thread-safe.
     */
    interface Lease extends AutoCloseable {

        /** The connection. Closing it does not end the lease. */
        Connection connection();

        /**
         * Whether the connection lay idle in the pool before. Then its peer may have closed it a moment ago: a request that
         * fails before anything was answered may be worth one more try.
         */
        boolean wasIdle();

        /**
         * Gives the connection back for another use: everything it was asked for has been read, and nobody touches it any
         * more. Its next user gets it as new: the read time-out and the options that were set on {@link
         * Connection#asSocket() its socket} are undone, and that socket is closed to the user who has it still. If it was
         * closed meanwhile, if either direction has ended, or if a buffer size was set, which cannot be undone, this is as
         * {@link #close}.
         *
         * @throws IllegalStateException if the connection has been given away, to a relay for one; the lease has ended then
         *     as by {@link #detach}
         */
        void giveBack();

        /** Leaves the connection to the caller, who closes it; the pool forgets it, also in its caps. */
        void detach();

        /** Closes the connection, if the lease has not ended yet. */
        @Override
        void close();
    }

    /** Collects the settings of a pool. Threading: for one thread. */
    interface Builder {

        /**
         * How many idle connections of one hop are kept, for all its clients together; default 10. Of more, the one that has
         * been idle longest goes. 0 keeps none, but a connection still passes from a lease that ends to one that waits.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder maxIdlePerHop(int max);

        /**
         * How many idle connections are kept in all; default 100. Of more, the one that has been idle longest goes, spares of
         * {@link ConnPool#warm} last.
         *
         * @throws IllegalArgumentException if it is negative
         */
        Builder maxIdle(int max);

        /**
         * How long a connection may lie idle; default 90 s. It is less where a peer promises less with {@code Keep-Alive:
         * timeout=...}, or has closed another idle connection sooner within the last minute.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder idleTimeout(Duration timeout);

        /**
         * How old a connection may become before it is no longer leased, so that a change of a name's addresses is followed;
         * default 10 min. One in use is not touched.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder maxAge(Duration age);

        /**
         * How many connections of one hop may be open, idle, leased or being dialled, for all its clients together; default no
         * limit. An idle one of another client is closed to make room.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxOpenPerHop(int max);

        /**
         * How many connections may be open in all; default no limit. An idle one of another hop is closed to make room.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        Builder maxOpen(int max);

        /**
         * The time of a lease that names none, and of a spare's dial; default 10 s.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        Builder leaseTimeout(Duration timeout);

        /**
         * Notes where each {@code oneIn}-th lease is taken, and logs a warning with that place if the lease becomes garbage
         * without an end. Noting costs some microseconds. Default 0: places are not noted; leases lost are counted anyway,
         * see {@link PoolStats#leaked}.
         *
         * @param oneIn 1 for each lease, 0 for none
         * @throws IllegalArgumentException if it is negative
         */
        Builder reportLeaks(int oneIn);

        /** The pool. It ends with its {@code Broxy}, if it is not closed before. */
        ConnPool build();
    }
}
