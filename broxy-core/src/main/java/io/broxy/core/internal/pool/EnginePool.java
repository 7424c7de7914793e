package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.pool.Counters.Ending;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pool. Its {@linkplain IdlePool policy} decides under a lock, and what follows from a decision is carried out without it.
 *
 * <p>Threading: thread-safe.
 */
public final class EnginePool implements ConnPool {
    private static final Logger log = LoggerFactory.getLogger(EnginePool.class);

    private final PoolEngine engine;
    private final IdlePool<IdleConnection> policy;
    private final Opener opener;
    private final LeakWatch leaks;
    private final long leaseTimeoutNanos;
    private final Consumer<EnginePool> ended;

    private final PoolKeeper keeper;

    EnginePool(ConnPoolBuilder settings, PoolEngine engine, Consumer<EnginePool> ended) {
        this.engine = engine;
        this.ended = ended;
        policy = new IdlePool<>(settings.limits(), engine.ticker());
        opener = new Opener(engine.workers());
        leaks = new LeakWatch(settings.leakReports());
        leaseTimeoutNanos = settings.leaseTimeoutNanos();
        keeper = new PoolKeeper(this, engine.loops().next(), leaseTimeoutNanos);
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
        EventLoop loop = policy.homeOfNext(key) instanceof EventLoop home ? home : nextLoop();
        return FutureLease.start(this, loop, key, timeoutNanos);
    }

    @Override
    public void warm(Key key, int count) {
        Objects.requireNonNull(key, "key");
        if (count < 0) {
            throw new IllegalArgumentException("there cannot be " + count + " spares");
        }
        change(actions -> policy.warm(key, count, actions));
    }

    /** As {@link #warm} with none, whether the pool is open or not. */
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
        change(policy::close);
        keeper.end();
        ended.accept(this);
    }

    private void ensureOpen() {
        if (policy.isClosed()) {
            throw new IllegalStateException("the pool is closed");
        }
    }

    // ------------------------------------------------------------------ for what runs on loops

    /**
     * Leases a connection on an event loop: one that is idle there, or one that is idle elsewhere and moves, or a new one.
     * Called on that loop.
     *
     * <p>If the key's dialer {@linkplain Dialer#sendsClientAddress() names clients} to the far end and there is one to name, the
     * connection is always a new one, and it is closed when it is given back.
     *
     * @param idleUse which idle connections will do; with {@link IdleUse#NEVER} the caps hold all the same: where they allow
     *     no other connection, an idle one is closed for it
     * @param client the client to name where the dialer names clients; null for none
     * @param lookUpClient for whose share of the look-ups a dial counts; see {@link
     *     io.broxy.core.internal.upstream.LoopDialer#dial}
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

    // ------------------------------------------------------------------ the policy, and what follows

    IdlePool<IdleConnection> policy() {
        return policy;
    }

    private void change(Consumer<PoolActions<IdleConnection>> change) {
        PoolActions<IdleConnection> actions = new PoolActions<>();
        change.accept(actions);
        actions.run(keeper);
    }

    @Nullable
    Slot<IdleConnection> claim(Key key, @Nullable EventLoop home, Waiter<IdleConnection> waiter) {
        keeper.reapLeaks();
        PoolActions<IdleConnection> actions = new PoolActions<>();
        Slot<IdleConnection> slot = policy.claim(key, home, waiter, actions);
        actions.run(keeper);
        return slot;
    }

    @Nullable
    Slot<IdleConnection> replace(Slot<IdleConnection> dead, Eviction cause, @Nullable EventLoop home, IdleUse idleUse) {
        PoolActions<IdleConnection> actions = new PoolActions<>();
        Slot<IdleConnection> slot = policy.replace(dead, cause, home, idleUse, actions);
        actions.run(keeper);
        return slot;
    }

    void openFailed(Slot<IdleConnection> slot) {
        change(actions -> policy.openFailed(slot, actions));
    }

    void park(Slot<IdleConnection> slot, IdleConnection parked, EventLoop home) {
        change(actions -> policy.park(slot, parked, home, actions));
    }

    /** As {@link #park}, for one that was only looked at. */
    void resume(Slot<IdleConnection> slot, IdleConnection parked, EventLoop home) {
        change(actions -> policy.resume(slot, parked, home, actions));
    }

    void putBack(Slot<IdleConnection> slot, IdleConnection parked, EventLoop home) {
        change(actions -> policy.putBack(slot, parked, home, actions));
    }

    void evict(Slot<IdleConnection> slot, Eviction cause) {
        change(actions -> policy.evict(slot, cause, actions));
    }

    void drop(Slot<IdleConnection> slot, Eviction cause) {
        change(actions -> policy.drop(slot, cause, actions));
    }

    /** As {@link #drop}, for one that its peer has spoilt while it was idle, or just before. */
    void died(Slot<IdleConnection> slot, Eviction cause, long idleNanos) {
        change(actions -> policy.died(slot, cause, idleNanos, actions));
    }

    /** As {@link #end}, for one that was idle and that its peer has ended without an answer to what it was leased for. */
    void ended(Slot<IdleConnection> slot) {
        change(actions -> policy.ended(slot, actions));
    }

    void end(Slot<IdleConnection> slot, Ending how) {
        change(actions -> policy.end(slot, how, actions));
    }

    /** A place that was granted and is not wanted any more. */
    void giveBack(Slot<IdleConnection> slot) {
        IdleConnection parked = slot.parked();
        if (parked == null) {
            openFailed(slot);
        } else if (!parked.execute(parked::putBack)) {
            drop(slot, Eviction.CLOSED);
        }
    }

    void expire() {
        change(policy::expire);
    }

    // ------------------------------------------------------------------ lost leases

    LeakWatch leaks() {
        return leaks;
    }

    Lease userLease(Slot<IdleConnection> slot, EventLoop home, LeakWatch.Leased leased) {
        UserLease lease = new UserLease(this, slot, home, leased);
        keeper.lookForLeaks();
        return lease;
    }

    // ------------------------------------------------------------------ the engine

    Ticker ticker() {
        return engine.ticker();
    }

    Opener opener() {
        return opener;
    }

    EventLoop nextLoop() {
        return engine.loops().next();
    }

    /** Runs a task on a loop; false if that has stopped. */
    boolean execute(EventLoop loop, Runnable task) {
        try {
            loop.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** Runs a task that may call user code. */
    void callBack(Runnable task) {
        engine.workers().complete(task);
    }

    /** Closes a connection where that may block. */
    void closeLater(Connection connection) {
        try {
            engine.workers().closers().execute(() -> close(connection));
        } catch (RejectedExecutionException e) {
            close(connection); // the engine ends
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (IOException e) {
            log.debug("closing a connection that is of no use failed", e);
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

    /** Names the figures. */
    @Override
    public String toString() {
        return "ConnPool[" + stats() + "]";
    }
}
