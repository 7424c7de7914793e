package io.broxy.core.internal.pool;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.FlightRecorderEvents;
import io.broxy.core.internal.observe.LeaseTrace;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Gets a lease on an event loop.
 *
 * <pre>
 *   WAITING ──> MOVING ──> OVER      (an idle one from another loop; one of this loop is available at once)
 *      │          │          ^
 *      └──────────┴─> OPENING┘       (none was idle, or it turned out dead)
 * </pre>
 *
 * <p>Threading: owned by its event loop, except for the callbacks of {@link Waiter}.
 */
final class Leasing implements Waiter<IdleConnection>, Completion<LoopConnection>, DialHandle {
    private enum Phase {
        WAITING,
        MOVING,
        OPENING,
        OVER
    }

    private final EnginePool pool;
    private final EventLoop loop;
    private final LeaseRequest request;
    private final Completion<LoopLease> completion;
    private final TimerQueue.Timer deadline;
    private final LeaseTrace trace;
    private Phase phase = Phase.WAITING;
    private boolean waited;
    private @Nullable Slot<IdleConnection> slot;
    private @Nullable DialHandle dialing;

    private Leasing(EnginePool pool, EventLoop loop, LeaseRequest request, Completion<LoopLease> completion) {
        this.pool = pool;
        this.loop = loop;
        this.request = request;
        this.completion = completion;
        this.trace = FlightRecorderEvents.lease(request.key().address());
        this.deadline = loop.timers().schedule(request.endNanos(), this::timedOut);
    }

    static Leasing start(EnginePool pool, EventLoop loop, LeaseRequest request, Completion<LoopLease> completion) {
        assert loop.inLoop();
        Leasing leasing = new Leasing(pool, loop, request, completion);
        Slot<IdleConnection> slot = pool.claim(request.key(), loop, leasing);
        if (slot != null) {
            leasing.proceed(slot);
        } else {
            leasing.waited = true;
        }
        return leasing;
    }

    // ------------------------------------------------------------------ waiting

    @Override
    public IdleUse idleUse() {
        return request.idleUse();
    }

    @Override
    public void granted(Slot<IdleConnection> granted) {
        if (!loop.tryExecute(() -> proceed(granted))) {
            pool.giveBack(granted);
        }
    }

    @Override
    public void refused() {
        loop.tryExecute(
                () -> fail(Reason.CANCELLED, EnginePool.closedFailure())); // a stopping loop fires the deadline instead
    }

    private void timedOut() {
        if (loop.isStopping() && phase != Phase.OPENING) {
            fail(Reason.CANCELLED, EnginePool.closedFailure());
        } else if (phase == Phase.WAITING) {
            pool.policy.cancel(request.key(), this);
            fail(Reason.POOL_EXHAUSTED, pool.exhausted());
        } // a move takes no time, and the dialer has the same deadline
    }

    // ------------------------------------------------------------------ an idle connection

    private void proceed(Slot<IdleConnection> got) {
        if (phase == Phase.OVER) {
            pool.giveBack(got);
            return;
        }
        slot = got;
        IdleConnection parked = got.parked();
        if (parked == null) {
            open(got);
        } else if (parked.loop == loop) {
            parked.take(connection -> leased(got, connection), cause -> replace(got, cause));
        } else {
            move(got, parked);
        }
    }

    private void move(Slot<IdleConnection> got, IdleConnection parked) {
        phase = Phase.MOVING;
        boolean asked = parked.execute(
                () -> parked.moveTo(loop, connection -> moved(got, connection), cause -> diedOnOtherLoop(got, cause)));
        if (!asked) {
            replace(got, Eviction.CLOSED);
        }
    }

    /** Runs on the connection's previous loop. */
    private void diedOnOtherLoop(Slot<IdleConnection> got, Eviction cause) {
        if (!loop.tryExecute(() -> replace(got, cause))) {
            pool.policy.drop(got, cause);
        }
    }

    private void moved(Slot<IdleConnection> got, LoopConnection connection) {
        if (phase == Phase.OVER) {
            IdleConnection.onLoop(pool, got, connection);
        } else {
            leased(got, connection);
        }
    }

    private void replace(Slot<IdleConnection> dead, Eviction cause) {
        if (phase == Phase.OVER) {
            pool.policy.drop(dead, cause);
            return;
        }
        Slot<IdleConnection> other = pool.policy.replace(dead, cause, loop, request.idleUse());
        if (other == null) {
            fail(Reason.CANCELLED, EnginePool.closedFailure());
        } else {
            proceed(other);
        }
    }

    // ------------------------------------------------------------------ a new connection

    private void open(Slot<IdleConnection> got) {
        long left = request.endNanos() - pool.ticker().nanos();
        if (left <= 0) {
            pool.policy.openFailed(got);
            if (waited) {
                fail(Reason.POOL_EXHAUSTED, pool.exhausted());
            } else {
                fail(Reason.TIMEOUT, new IOException("no time left to dial"));
            }
            return;
        }
        phase = Phase.OPENING;
        DialHandle begun = pool.open(loop, request.key(), request.client(), request.lookUpClient(), left, this);
        if (phase == Phase.OPENING) {
            dialing = begun;
        }
    }

    @Override
    public void done(LoopConnection connection) {
        Slot<IdleConnection> opened = openSlot();
        if (pool.policy.opened(opened)) {
            leased(opened, connection);
        } else {
            connection.close();
            fail(Reason.CANCELLED, EnginePool.closedFailure());
        }
    }

    @Override
    public void failed(DialException failure) {
        pool.policy.openFailed(openSlot());
        end();
        trace.failed(failure);
        completion.failed(failure);
    }

    private Slot<IdleConnection> openSlot() {
        if (slot == null) {
            throw new IllegalStateException("nothing is being opened");
        }
        return slot;
    }

    // ------------------------------------------------------------------ the end

    private void leased(Slot<IdleConnection> got, LoopConnection connection) {
        end();
        trace.leased(got.parked() != null);
        completion.done(new LoopLease(
                pool, got, connection, request.client() == null, pool.ticker().nanos() - request.startNanos()));
    }

    private void fail(Reason reason, Throwable cause) {
        if (phase != Phase.OVER) {
            end();
            DialException failure =
                    EnginePool.failure(reason, request.key(), pool.ticker().nanos() - request.startNanos(), cause);
            trace.failed(failure);
            completion.failed(failure);
        }
    }

    private void end() {
        phase = Phase.OVER;
        loop.timers().cancel(deadline);
    }

    @Override
    public void cancel() {
        assert loop.inLoop();
        Phase before = phase;
        if (before == Phase.OVER) {
            return;
        }
        end();
        trace.cancelled();
        if (before == Phase.WAITING) {
            pool.policy.cancel(request.key(), this);
        } else if (before == Phase.OPENING && dialing != null) {
            dialing.cancel();
            pool.policy.openFailed(openSlot());
        }
    }
}
