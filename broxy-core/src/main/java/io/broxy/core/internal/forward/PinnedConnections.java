package io.broxy.core.internal.forward;

import io.broxy.ConnPool;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.time.LazyTimer;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The upstream connections that belong to one client's connection because a login is bound to each of them. Kept here between
 * the client's requests, they serve no other client, and are closed with the client's connection at the latest.
 *
 * <pre>
 *   take ──> (an exchange has it) ──> keep ──> take ...
 *                    │                  │
 *                    └──────────────────┴──> lost: the client's connection ends, too, if the login was the client's
 * </pre>
 *
 * <p>They stay leased from their pool, so that its caps count them. There are at most {@value #MAX}: the one that was not used
 * for the longest time goes for another, and so does one that was not used for as long as an idle client is kept. The client
 * then has to log in there again.
 *
 * <p>Threading: owned by the client's event loop.
 */
public final class PinnedConnections {
    /** The most pinned connections of one client's connection. */
    static final int MAX = 8;

    /**
     * What a pinned connection is for.
     *
     * <p>Threading: immutable.
     *
     * @param farEnd where it leads: to the origin, or to the next proxy
     * @param origin whose requests it is for; null for all, where the client logs in at the next proxy itself
     * @param identity the authenticated identity of the request, or null
     */
    record Key(
            ConnPool.Key farEnd,
            @Nullable HostPort origin,
            @Nullable String identity) {

        private boolean isFor(HostPort target, @Nullable String client) {
            return (origin == null || origin.equals(target)) && Objects.equals(identity, client);
        }
    }

    private final EventLoop loop;
    private final long idleNanos;
    private final Runnable onLost;
    private final LazyTimer timer;

    /** Those that no exchange has, the one that was used last at the end. */
    private final Map<Key, Pin> idle = new LinkedHashMap<>(2);

    private boolean lost;
    private boolean closed;

    /**
     * Creates an empty set.
     *
     * @param idleNanos for how long one is kept that is not used
     * @param onLost runs when the client's login has gone with a connection, possibly more than once
     */
    public PinnedConnections(EventLoop loop, long idleNanos, Runnable onLost) {
        this.loop = loop;
        this.idleNanos = idleNanos;
        this.onLost = onLost;
        this.timer = new LazyTimer(loop.timers(), this::expire);
    }

    /** Whether a login of the client has gone with a connection, so that the client's own must end, too. */
    public boolean hasLost() {
        return lost;
    }

    /** Whether none is kept. */
    boolean isEmpty() {
        return idle.isEmpty();
    }

    /** The far end of the connection that the client has to an origin; null if it has none. */
    ConnPool.@Nullable Key farEnd(HostPort origin, @Nullable String identity) {
        ConnPool.Key farEnd = null;
        for (Key key : idle.keySet()) {
            if (key.isFor(origin, identity)) {
                farEnd = key.farEnd; // the one that was used last
            }
        }
        return farEnd;
    }

    /** Takes a connection for an exchange, which gives it back or ends it; null if there is none. */
    @Nullable
    Pin take(Key key) {
        assert loop.inLoop();
        Pin pin = idle.remove(key);
        if (pin == null) {
            return null;
        }
        if (pin.isDead()) {
            pin.end();
            return null;
        }
        return pin;
    }

    /** Keeps a connection for the client's next request; it is closed if there will be none. */
    void keep(Key key, LoopLease lease, BoundLogin login) {
        assert loop.inLoop();
        Pin pin = new Pin(key, lease, login);
        if (closed) {
            lease.close();
            return;
        }
        if (idle.size() == MAX) {
            idle.remove(idle.keySet().iterator().next()).lease.close();
        }
        idle.put(key, pin);
        timer.atLatest(pin.sinceNanos + idleNanos);
        pin.watch();
    }

    /** A connection has ended within an exchange. */
    void ended(BoundLogin login) {
        if (login == BoundLogin.OF_CLIENT) {
            lost = true;
            if (!closed) {
                onLost.run();
            }
        }
    }

    private void expire() {
        for (Pin pin : List.copyOf(idle.values())) {
            long endNanos = pin.sinceNanos + idleNanos;
            if (endNanos - loop.nowNanos() > 0 && !loop.isStopping()) {
                timer.atLatest(endNanos);
                return;
            }
            idle.remove(pin.key);
            pin.lease.close();
        }
    }

    /** Closes all; the client has gone, or sends no other request. Repeated calls change nothing. */
    public void close() {
        closed = true;
        timer.cancel();
        List<Pin> all = new ArrayList<>(idle.values());
        idle.clear();
        all.forEach(pin -> pin.lease.close());
    }

    /** A connection between two exchanges. Threading: owned by its event loop. */
    final class Pin implements ChannelEvents {
        private final Key key;
        private final LoopLease lease;
        private final BoundLogin login;
        private final long sinceNanos = loop.nowNanos();

        private Pin(Key key, LoopLease lease, BoundLogin login) {
            this.key = key;
            this.lease = lease;
            this.login = login;
        }

        LoopLease lease() {
            return lease;
        }

        BoundLogin login() {
            return login;
        }

        /** One that takes threads would take one to be watched, and is only looked at when it is taken. */
        private void watch() {
            LoopConnection connection = lease.connection();
            connection.handler(this);
            try {
                connection.interest(connection.takesThreads() ? 0 : SelectionKey.OP_READ);
            } catch (IOException e) {
                lost();
            }
        }

        @Override
        public void ready(int readyOps) {
            if (isDead()) {
                lost();
            }
        }

        /** Whether it has ended, or sends what was not asked for; what only TLS needs is neither. */
        private boolean isDead() {
            try {
                return lease.connection().read(loop.buffers().shared().limit(1)) != 0;
            } catch (IOException e) {
                return true;
            }
        }

        @Override
        public void abandoned(Throwable cause) {
            lost();
        }

        private void lost() {
            if (idle.remove(key, this)) {
                end();
            }
        }

        private void end() {
            lease.close();
            ended(login);
        }
    }
}
