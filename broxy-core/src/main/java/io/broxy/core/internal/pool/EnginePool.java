package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.Connector;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection pool of an engine. Its {@linkplain IdlePool policy} decides under a lock; the actions that result run outside
 * the lock.
 *
 * <p>Threading: thread-safe.
 */
public final class EnginePool implements ConnPool {
    private static final Logger log = LoggerFactory.getLogger(EnginePool.class);

    private final PoolEngine engine;
    final IdlePool<IdleConnection> policy;
    final LeakWatch leaks;
    private final long leaseTimeoutNanos;
    private final Consumer<ConnPool> ended;

    private final PoolKeeper keeper;
    /** The loop of the last lease on a loop; null for none yet. */
    private volatile @Nullable EventLoop lastLeasing;

    EnginePool(
            PoolEngine engine, PoolLimits limits, long leaseTimeoutNanos, LeakWatch leaks, Consumer<ConnPool> ended) {
        this.engine = engine;
        this.ended = ended;
        this.leaks = leaks;
        this.leaseTimeoutNanos = leaseTimeoutNanos;
        keeper = new PoolKeeper(this, engine.loops().next(), leaseTimeoutNanos);
        policy = new IdlePool<>(limits, engine.ticker(), keeper);
    }

    // ------------------------------------------------------------------ for users

    @Override
    public Lease lease(Key key) throws DialException {
        return lease(key, leaseTimeoutNanos);
    }

    @Override
    public Lease lease(Key key, Duration timeout) throws DialException {
        return lease(key, Durations.positiveNanos(timeout, "a lease's timeout"));
    }

    private Lease lease(Key key, long timeoutNanos) throws DialException {
        Objects.requireNonNull(key, "key");
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking lease on an event loop would stop everything that it serves");
        }
        ensureOpen();
        return new BlockingLeasing(this, key, timeoutNanos).lease(leaks.place());
    }

    @Override
    public CompletableFuture<Lease> leaseAsync(Key key, Duration timeout) {
        Objects.requireNonNull(key, "key");
        long timeoutNanos = Durations.positiveNanos(timeout, "a lease's timeout");
        ensureOpen();
        EventLoop loop = policy.homeOfNext(key) instanceof EventLoop home && !Connector.isAt(home) ? home : nextLoop();
        return FutureLease.start(this, loop, key, timeoutNanos);
    }

    @Override
    public void warm(Key key, int count) {
        Objects.requireNonNull(key, "key");
        if (count < 0) {
            throw new IllegalArgumentException("the number of spares must not be negative, but is " + count);
        }
        policy.warm(key, count);
    }

    /** As {@link #warm} with a count of 0, but also allowed on a closed pool. */
    void endWarming(Key key) {
        if (!policy.isClosed()) {
            try {
                warm(key, 0);
            } catch (IllegalStateException e) {
                log.debug("the pool was closed meanwhile");
            }
        }
    }

    @Override
    public PoolStats stats() {
        return policy.stats();
    }

    @Override
    public void close() {
        policy.close();
        keeper.end();
        ended.accept(this);
    }

    private void ensureOpen() {
        if (policy.isClosed()) {
            throw new IllegalStateException("the pool is closed");
        }
    }

    // ------------------------------------------------------------------ for code on event loops

    /**
     * Leases a connection on an event loop: an idle one of this loop, else an idle one that moves here from another loop, else
     * a new one. Called on that loop.
     *
     * <p>If the key's dialer {@linkplain Dialer#sendsClientAddress() sends the client's address} and {@code client} is given,
     * the connection is always new, and is closed when it is given back.
     *
     * @param idleUse which idle connections are acceptable; with {@link IdleUse#NEVER}, the pool closes an idle connection if
     *     its caps leave no room for a new one
     * @param client the client whose address the dialer sends; null for none
     * @param lookUpClient the client whose share of the look-ups the dial uses; see {@link LoopDialer#dial}
     * @param timeoutNanos for waiting and dialing together
     * @param completion gets the lease, possibly before this method returns
     */
    public DialHandle lease(
            EventLoop loop,
            Key key,
            IdleUse idleUse,
            DialRequest.@Nullable Client client,
            @Nullable InetAddress lookUpClient,
            long timeoutNanos,
            Completion<LoopLease> completion) {
        if (lastLeasing != loop) {
            lastLeasing = loop;
        }
        boolean named = client != null && key.dialer().sendsClientAddress();
        LeaseRequest request = new LeaseRequest(
                key,
                named ? IdleUse.NEVER : idleUse,
                named ? client : null,
                lookUpClient,
                ticker().nanos(),
                timeoutNanos);
        return Leasing.start(this, loop, request, completion);
    }

    /** As {@link IdlePool#claim}, after reclaiming the places of leaked leases. */
    @Nullable
    Slot<IdleConnection> claim(Key key, @Nullable EventLoop home, Waiter<IdleConnection> waiter) {
        keeper.reapLeaks();
        return policy.claim(key, home, waiter);
    }

    /** Returns a granted place that is no longer needed. */
    void giveBack(Slot<IdleConnection> slot) {
        IdleConnection parked = slot.parked();
        if (parked == null) {
            policy.openFailed(slot);
        } else if (!parked.execute(parked::putBack)) {
            policy.drop(slot, Eviction.CLOSED);
        }
    }

    /**
     * Starts to open a connection.
     *
     * @param client whose address the dial sends, or null
     * @param lookUpClient the client whose share of the look-ups the dial uses; see {@link LoopDialer#dial}
     * @param completion gets the connection, possibly before this method returns
     */
    DialHandle open(
            EventLoop loop,
            Key key,
            DialRequest.@Nullable Client client,
            @Nullable InetAddress lookUpClient,
            long timeoutNanos,
            Completion<LoopConnection> completion) {
        return UserDialerAdapter.of(key.dialer(), engine.workers())
                .dial(loop, dialRequest(key, client, timeoutNanos), lookUpClient, completion);
    }

    static DialRequest dialRequest(Key key, DialRequest.@Nullable Client client, long timeoutNanos) {
        return DialRequest.builder(key.address())
                .timeout(Duration.ofNanos(timeoutNanos))
                .client(client)
                .build();
    }

    /** A failure that does not come from a dialer. */
    static DialException failure(DialException.Reason reason, Key key, long nanos, Throwable cause) {
        return new DialException(reason, key.address(), Duration.ofNanos(nanos), List.of(), cause);
    }

    // ------------------------------------------------------------------ leaked leases

    Lease userLease(Slot<IdleConnection> slot, EventLoop home, Connection connection, @Nullable Throwable place) {
        UserLease lease = new UserLease(this, slot, home, connection, place);
        keeper.lookForLeaks();
        return lease;
    }

    // ------------------------------------------------------------------ the engine

    Ticker ticker() {
        return engine.ticker();
    }

    EventLoop nextLoop() {
        return engine.loops().next();
    }

    /** A loop for a spare, with the kind of sockets that the last lease on a loop used. */
    EventLoop loopOfSpare() {
        EventLoop last = lastLeasing;
        return last != null && Connector.isAt(last) ? last : nextLoop();
    }

    Workers workers() {
        return engine.workers();
    }

    /** Closes a connection where that may block. */
    void closeLater(Connection connection) {
        try {
            engine.workers().closers().execute(() -> close(connection));
        } catch (RejectedExecutionException e) {
            close(connection); // the engine is shutting down
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (IOException e) {
            log.debug("closing an unusable connection failed", e);
        }
    }

    static IOException closedFailure() {
        return new IOException("the pool is closed");
    }

    IOException exhausted() {
        PoolStats now = stats();
        return new IOException(now.leased() + " connections are leased, " + now.opening() + " are being opened, "
                + now.waiting() + " wait");
    }

    /** Shows the statistics. */
    @Override
    public String toString() {
        return "ConnPool[" + stats() + "]";
    }
}
