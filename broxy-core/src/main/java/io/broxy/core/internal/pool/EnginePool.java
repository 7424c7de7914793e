package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.PoolStats;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.pool.IdlePool.Ending;
import io.broxy.core.internal.pool.PoolActions.SpareEvent;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.Ticker;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pool: the {@linkplain IdlePool policy} decides, and what it leaves to be done is done here, without its lock.
 *
 * <p>Threading: thread-safe.
 */
public final class EnginePool implements ConnPool {
    private static final Logger log = LoggerFactory.getLogger(EnginePool.class);

    /** How often lost leases are looked for while leases are out; whoever asks for a lease looks too. */
    private static final long LEAK_POLL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final PoolEngine engine;
    private final IdlePool<IdleConnection> policy;
    private final Opener opener;
    private final LeakWatch leaks;
    private final long leaseTimeoutNanos;
    private final Consumer<EnginePool> ended;

    /** Keeps the pool's timers. */
    private final EventLoop keeper;

    private final Spares spares;
    private final Chores chores = new Chores();
    private final AtomicBoolean lookingForLeaks = new AtomicBoolean();

    EnginePool(ConnPoolBuilder settings, PoolEngine engine, Consumer<EnginePool> ended) {
        this.engine = engine;
        this.ended = ended;
        policy = new IdlePool<>(settings.limits(), engine.ticker());
        opener = new Opener(engine.workers());
        leaks = new LeakWatch(settings.leakReports());
        leaseTimeoutNanos = settings.leaseTimeoutNanos();
        keeper = engine.loops().next();
        spares = new Spares(this, keeper, leaseTimeoutNanos);
    }

    /** Begins to serve. */
    void open() {
        engine.opened(this);
    }

    // ------------------------------------------------------------------ for users

    @Override
    public Lease lease(Key hop) throws DialException {
        return lease(hop, leaseTimeoutNanos);
    }

    @Override
    public Lease lease(Key hop, Duration timeout) throws DialException {
        return lease(hop, Durations.positiveNanos(timeout, "a lease's time-out"));
    }

    private Lease lease(Key hop, long timeoutNanos) throws DialException {
        Objects.requireNonNull(hop, "hop");
        if (EventLoop.current() != null) {
            throw new IllegalStateException("a blocking lease on an event loop would stop everything that it serves");
        }
        ensureOpen();
        return new BlockingLeasing(this, hop, timeoutNanos).lease(leaks.place());
    }

    @Override
    public CompletableFuture<Lease> leaseAsync(Key hop, Duration timeout) {
        Objects.requireNonNull(hop, "hop");
        long timeoutNanos = Durations.positiveNanos(timeout, "a lease's time-out");
        ensureOpen();
        EventLoop loop = policy.homeOfNext(hop) instanceof EventLoop home ? home : nextLoop();
        return FutureLease.start(this, loop, hop, timeoutNanos);
    }

    @Override
    public void warm(Key hop, int count) {
        Objects.requireNonNull(hop, "hop");
        if (count < 0) {
            throw new IllegalArgumentException("there cannot be " + count + " spares");
        }
        change(work -> policy.warm(hop, count, work));
    }

    /** As {@link #warm} with none, whether the pool is open or not. */
    void endWarming(Key hop) {
        if (!policy.isClosed()) {
            try {
                warm(hop, 0);
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
        chores.end();
        engine.closed(this);
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
     * @param idleUse which idle connections will do; with {@link IdleUse#NEVER} the caps hold all the same: where they allow
     *     no other connection, an idle one is closed for it
     * @param client for whose share of the look-ups a dial counts; see {@link io.broxy.core.internal.upstream.LoopDialer#dial}
     * @param timeoutNanos for waiting and dialing together
     * @param completion gets the lease, possibly before this method returns
     */
    public DialHandle lease(
            EventLoop loop,
            Key hop,
            IdleUse idleUse,
            @Nullable InetAddress client,
            long timeoutNanos,
            Completion<LoopLease> completion) {
        LeaseRequest request = new LeaseRequest(hop, idleUse, client, ticker().nanos(), timeoutNanos);
        return Leasing.start(this, loop, request, completion);
    }

    /** A client has gone whom its dials have named: what lies idle for it, in whatever pool of the engine, is closed. */
    public void clientGone(DialRequest.Client client) {
        engine.forget(client);
    }

    void forget(DialRequest.Client client) {
        change(work -> policy.forget(client, work));
    }

    // ------------------------------------------------------------------ the policy, and what it leaves to be done

    IdlePool<IdleConnection> policy() {
        return policy;
    }

    private void change(Consumer<PoolActions<IdleConnection>> change) {
        PoolActions<IdleConnection> work = new PoolActions<>();
        change.accept(work);
        work.run(chores);
    }

    @Nullable
    Slot<IdleConnection> claim(Key hop, @Nullable EventLoop home, Waiter<IdleConnection> waiter) {
        reapLeaks();
        PoolActions<IdleConnection> work = new PoolActions<>();
        Slot<IdleConnection> slot = policy.claim(hop, home, waiter, work);
        work.run(chores);
        return slot;
    }

    @Nullable
    Slot<IdleConnection> replace(Slot<IdleConnection> dead, Eviction cause, @Nullable EventLoop home, IdleUse idleUse) {
        PoolActions<IdleConnection> work = new PoolActions<>();
        Slot<IdleConnection> slot = policy.replace(dead, cause, home, idleUse, work);
        work.run(chores);
        return slot;
    }

    void openFailed(Slot<IdleConnection> slot) {
        change(work -> policy.openFailed(slot, work));
    }

    void park(Slot<IdleConnection> slot, IdleConnection parked, EventLoop home) {
        change(work -> policy.park(slot, parked, home, work));
    }

    /** As {@link #park}, for one that was only looked at. */
    void resume(Slot<IdleConnection> slot, IdleConnection parked, EventLoop home) {
        change(work -> policy.resume(slot, parked, home, work));
    }

    void putBack(Slot<IdleConnection> slot, IdleConnection parked, EventLoop home) {
        change(work -> policy.putBack(slot, parked, home, work));
    }

    void evict(Slot<IdleConnection> slot, Eviction cause) {
        change(work -> policy.evict(slot, cause, work));
    }

    void drop(Slot<IdleConnection> slot, Eviction cause) {
        change(work -> policy.drop(slot, cause, work));
    }

    /** As {@link #drop}, for one that its peer has spoilt while it was idle, or just before. */
    void died(Slot<IdleConnection> slot, Eviction cause, long idleNanos) {
        change(work -> policy.died(slot, cause, idleNanos, work));
    }

    /** As {@link #end}, for one that was idle and that its peer has ended without an answer to what it was leased for. */
    void ended(Slot<IdleConnection> slot) {
        change(work -> policy.ended(slot, work));
    }

    void end(Slot<IdleConnection> slot, Ending how) {
        change(work -> policy.end(slot, how, work));
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

    /** What changes of the policy leave to be done. Threading: thread-safe. */
    private final class Chores implements PoolActions.ActionRunner<IdleConnection> {
        private TimerQueue.@Nullable Timer expiry; // the keeper's

        @Override
        public void close(IdleConnection parked) {
            parked.execute(parked::close);
        }

        @Override
        public void spares(Key hop, SpareEvent news) {
            spares.tell(hop, news);
        }

        @Override
        public void expireAt(long nanos) {
            execute(keeper, () -> {
                if (keeper.isStopping() || policy.isClosed()) {
                    return;
                }
                if (expiry == null) {
                    expiry = keeper.timers().schedule(nanos, () -> change(policy::expire));
                } else {
                    keeper.timers().reschedule(expiry, nanos);
                }
            });
        }

        void end() {
            execute(keeper, () -> {
                if (expiry != null) {
                    keeper.timers().cancel(expiry);
                }
            });
        }
    }

    // ------------------------------------------------------------------ lost leases

    LeakWatch leaks() {
        return leaks;
    }

    Lease userLease(Slot<IdleConnection> slot, EventLoop home, LeakWatch.Leased leased) {
        UserLease lease = new UserLease(this, slot, home, leased);
        lookForLeaks();
        return lease;
    }

    private void lookForLeaks() {
        if (lookingForLeaks.compareAndSet(false, true)) {
            execute(keeper, this::lookForLeaksLater);
        }
    }

    private void lookForLeaksLater() {
        if (keeper.isStopping()) {
            return;
        }
        keeper.timers().schedule(keeper.nowNanos() + LEAK_POLL_NANOS, () -> {
            reapLeaks();
            lookingForLeaks.set(false);
            if (leaks.isWatching()) {
                lookForLeaks();
            }
        });
    }

    private void reapLeaks() {
        for (LeakWatch.Watched lost; (lost = leaks.next()) != null; ) {
            if (lost.connection != null) {
                lost.connection.abort();
            }
            end(lost.slot, Ending.LEAKED);
        }
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

    /** Runs what may call users. */
    void callBack(Runnable task) {
        engine.workers().complete(task);
    }

    /** Closes what may block at that. */
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
