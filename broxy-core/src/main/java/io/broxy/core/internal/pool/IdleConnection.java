package io.broxy.core.internal.pool;

import io.broxy.Connection;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.Transferable;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stay of a connection in the pool, watched by its loop. The policy decides under its lock whether the connection is idle,
 * so when the end of the stream and a lease meet, one of them wins. If the lease wins, it finds the end here before it gets the
 * connection.
 *
 * <pre>
 *   ARRIVING ──> WATCHED ──> OVER      (leased, or closed)
 * </pre>
 *
 * <p>Threading: owned by its event loop, but for {@link #execute} and {@link #loopStopped}.
 */
final class IdleConnection implements ChannelEvents {
    private static final Logger log = LoggerFactory.getLogger(IdleConnection.class);

    private final EnginePool pool;
    final EventLoop loop;
    private final Slot<IdleConnection> slot;

    /** Detached by its user, and not on the loop yet. */
    private final AtomicReference<@Nullable Transferable> arriving;

    private @Nullable LoopConnection connection;
    private boolean over;

    private IdleConnection(
            EnginePool pool, EventLoop loop, Slot<IdleConnection> slot, @Nullable Transferable arriving) {
        this.pool = pool;
        this.loop = loop;
        this.slot = slot;
        this.arriving = new AtomicReference<>(arriving);
    }

    /**
     * Parks a connection that its user has detached and unblocked; on any thread.
     *
     * @param used false for one that was on its way to a user whose lease was interrupted
     */
    static void fromUser(EnginePool pool, EventLoop loop, Slot<IdleConnection> slot, Transferable given, boolean used) {
        IdleConnection parked = new IdleConnection(pool, loop, slot, given);
        if (used) {
            pool.policy.park(slot, parked, loop); // first, so that the same user finds it again at once
        } else {
            pool.policy.putBack(slot, parked, loop);
        }
        if (!parked.execute(parked::arrive)) {
            pool.policy.evict(slot, Eviction.CLOSED);
        }
    }

    /** Parks a connection that is on its loop. The next lease reads it, and the selector reports what arrives before. */
    static void onLoop(EnginePool pool, Slot<IdleConnection> slot, LoopConnection connection) {
        IdleConnection parked = new IdleConnection(pool, connection.loop(), slot, null);
        parked.connection = connection;
        connection.handler(parked);
        pool.policy.park(slot, parked, parked.loop);
        parked.arrive();
    }

    /** Runs a task on the loop; false if the loop has stopped, and the connection is closed. */
    boolean execute(Runnable task) {
        if (loop.tryExecute(task)) {
            return true;
        }
        loopStopped();
        return false;
    }

    /** A registered connection is closed by the end of its loop. */
    private void loopStopped() {
        Transferable given = arriving.getAndSet(null);
        if (given != null) {
            given.detached().abort();
        }
    }

    // ------------------------------------------------------------------ being idle

    private void arrive() {
        if (slot.state == Slot.State.IDLE) { // else its lease takes care of it
            watch();
        }
    }

    private void watch() {
        LoopConnection own = settled();
        if (own == null) {
            return;
        }
        try {
            own.interest(SelectionKey.OP_READ);
        } catch (IOException e) {
            log.debug("a connection cannot be watched", e);
            pool.policy.evict(slot, Eviction.FAILED);
            close();
        }
    }

    /** The connection, on its loop now; null if it is closed or a lease has it. */
    private @Nullable LoopConnection settled() {
        assert loop.inLoop();
        if (over) {
            return null;
        }
        Transferable given = arriving.getAndSet(null);
        if (given != null) {
            connection = given.onLoop(loop);
            connection.handler(this);
        }
        return connection;
    }

    @Override
    public void ready(int readyOps) {
        LoopConnection own = settled();
        if (own == null) {
            return;
        }
        if (!pool.policy.hold(slot)) { // a lease is taking it, and reads it
            unwatch(own);
            return;
        }
        Eviction cause = look(own);
        if (cause == null) {
            pool.policy.resume(slot, this, loop);
        } else {
            close();
            pool.policy.died(slot, cause, slot.idleNanos);
        }
    }

    private static void unwatch(LoopConnection own) {
        try {
            own.interest(0);
        } catch (IOException e) {
            log.debug("a connection in the pool is closed", e);
        }
    }

    /**
     * Why it is of no use any more; null if nothing has arrived that is for its user (TLS has messages that are not). It is read,
     * for a selector may not have reported it yet.
     */
    private @Nullable Eviction look(LoopConnection own) {
        try {
            int count = own.read(loop.buffers().shared().limit(1));
            if (count == 0) {
                return null;
            }
            return count < 0 ? Eviction.PEER_CLOSED : Eviction.STRAY_BYTES;
        } catch (IOException e) {
            return Eviction.FAILED;
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        pool.policy.evict(slot, loop.isStopping() ? Eviction.CLOSED : Eviction.FAILED);
        close();
    }

    /** Closes it, unless a lease has it. */
    void close() {
        LoopConnection own = settled();
        over = true;
        if (own != null) {
            own.close();
        }
    }

    // ------------------------------------------------------------------ being leased

    /** Passes the connection to its lease, which must set a handler, or the reason why it died meanwhile. */
    void take(Consumer<LoopConnection> alive, Consumer<Eviction> dead) {
        LoopConnection own = settled();
        Eviction cause = own != null && slot.unread ? null : death(own);
        if (own == null || cause != null) {
            close();
            dead.accept(cause == null ? Eviction.CLOSED : cause);
            return;
        }
        over = true;
        try {
            own.interest(0);
        } catch (IOException e) {
            own.close();
            dead.accept(Eviction.FAILED);
            return;
        }
        alive.accept(own);
    }

    /** As {@link #take}, for a user. */
    void handOver(Consumer<Connection> alive, Consumer<Eviction> dead) {
        take(
                own -> own.release(alive, failure -> {
                    log.debug("a pooled connection could not leave its loop", failure);
                    dead.accept(Eviction.FAILED);
                }),
                dead);
    }

    /** It was leased, and the lease was cancelled before it got the connection. */
    void putBack() {
        Eviction cause = death(settled());
        if (cause != null) {
            close();
            pool.policy.died(slot, cause, slot.idleNanos);
            return;
        }
        pool.policy.putBack(slot, this, loop);
        watch();
    }

    private @Nullable Eviction death(@Nullable LoopConnection own) {
        return own == null ? Eviction.CLOSED : look(own);
    }
}
