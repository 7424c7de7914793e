package io.broxy.core.internal.pool;

import io.broxy.Connection;
import io.broxy.PoolStats.Eviction;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.StaysOnLoopException;
import io.broxy.core.internal.net.Transferable;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection while it is idle in the pool and watched by its loop. The policy decides under its lock whether the connection
 * is idle, so exactly one of a lease and an end of stream that arrive together wins. If the lease wins, it finds the end of the
 * stream here before it gets the connection.
 *
 * <pre>
 *   ARRIVING ──> WATCHED ──> OVER      (leased, or closed)
 * </pre>
 *
 * <p>Threading: owned by its event loop, except {@link #execute} and {@link #loopStopped}.
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
     * Parks a connection that its user has detached and unblocked. Callable on any thread.
     *
     * @param used false if the lease was interrupted before its user got the connection
     */
    static void fromUser(
            EnginePool pool, EventLoop loop, Slot<IdleConnection> slot, Transferable transferable, boolean used) {
        IdleConnection parked = new IdleConnection(pool, loop, slot, transferable);
        if (used) {
            pool.policy.park(slot, parked, loop); // first, so that the same user can lease it again immediately
        } else {
            pool.policy.putBack(slot, parked, loop);
        }
        if (!parked.execute(parked::arrive)) {
            pool.policy.evict(slot, Eviction.CLOSED);
        }
    }

    /** Parks a connection that is on its loop. The next lease reads it; until then the selector reports incoming bytes. */
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

    /** Closes a connection that is still unregistered; the loop itself closes registered ones. */
    private void loopStopped() {
        Transferable transferable = arriving.getAndSet(null);
        if (transferable != null) {
            transferable.detached().abort();
        }
    }

    // ------------------------------------------------------------------ being idle

    private void arrive() {
        if (slot.state == Slot.State.IDLE) { // else its lease handles it
            watch();
        }
    }

    private void watch() {
        LoopConnection idle = settled();
        if (idle == null) {
            return;
        }
        try {
            idle.interest(SelectionKey.OP_READ);
        } catch (IOException e) {
            log.debug("registering an idle connection failed", e);
            pool.policy.evict(slot, Eviction.FAILED);
            close();
        }
    }

    /** The connection, moved to its loop if necessary; null if it is closed or leased. */
    private @Nullable LoopConnection settled() {
        assert loop.inLoop();
        if (over) {
            return null;
        }
        Transferable transferable = arriving.getAndSet(null);
        if (transferable != null) {
            connection = transferable.onLoop(loop);
            connection.handler(this);
        }
        return connection;
    }

    @Override
    public void ready(int readyOps) {
        LoopConnection idle = settled();
        if (idle == null) {
            return;
        }
        if (!pool.policy.hold(slot)) { // a lease is taking it and will read it
            unwatch(idle);
            return;
        }
        Eviction cause = look(idle);
        if (cause == null) {
            pool.policy.resume(slot, this, loop);
        } else {
            close();
            pool.policy.died(slot, cause, slot.idleNanos);
        }
    }

    private static void unwatch(LoopConnection idle) {
        try {
            idle.interest(0);
        } catch (IOException e) {
            log.debug("a pooled connection has been closed", e);
        }
    }

    /**
     * The reason why the connection is unusable, or null if no application data has arrived (TLS also has messages of its own).
     * It reads the connection, since the selector may not have reported the bytes yet.
     */
    private @Nullable Eviction look(LoopConnection idle) {
        try {
            int count = idle.read(loop.buffers().shared().limit(1));
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

    /** Closes the connection unless it is leased. */
    void close() {
        LoopConnection idle = settled();
        over = true;
        if (idle != null) {
            idle.close();
        }
    }

    // ------------------------------------------------------------------ being leased

    /** Passes either the connection to its lease, which must set a handler, or the reason why it is dead. */
    void take(Consumer<LoopConnection> alive, Consumer<Eviction> dead) {
        LoopConnection idle = settled();
        Eviction cause = idle != null && slot.unread ? null : death(idle);
        if (idle == null || cause != null) {
            close();
            dead.accept(cause == null ? Eviction.CLOSED : cause);
            return;
        }
        over = true;
        try {
            idle.interest(0);
        } catch (IOException e) {
            idle.close();
            dead.accept(Eviction.FAILED);
            return;
        }
        alive.accept(idle);
    }

    /** As {@link #take}, for a blocking user. */
    void handOver(Consumer<Connection> alive, Consumer<Eviction> dead) {
        take(idle -> idle.release(alive, failure -> dead.accept(cannotLeave(failure))), dead);
    }

    /** As {@link #take}, for a lease on another loop, which gets the connection there. */
    void moveTo(EventLoop other, Consumer<LoopConnection> alive, Consumer<Eviction> dead) {
        take(idle -> idle.moveTo(other, alive, failure -> dead.accept(cannotLeave(failure))), dead);
    }

    private static Eviction cannotLeave(IOException failure) {
        log.debug("a pooled connection could not leave its loop", failure);
        return failure instanceof StaysOnLoopException ? Eviction.UNWATCHABLE : Eviction.FAILED;
    }

    /** Makes the connection idle again after its lease was cancelled before getting it. */
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

    private @Nullable Eviction death(@Nullable LoopConnection idle) {
        return idle == null ? Eviction.CLOSED : look(idle);
    }
}
