package io.broxy.core.internal.forward;

import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.upstream.HttpHop;
import org.jspecify.annotations.Nullable;

/**
 * Gets the connections for a request, each over one hop: one that is {@linkplain PinnedConnections pinned} to the client, or one
 * from a pool.
 *
 * <p>Threading: owned by its event loop.
 */
final class HopLeasing implements Completion<LoopLease> {
    private final RequestRoute route;
    private final RequestLogins logins;
    private final ExchangeOwner owner;
    private final Forwarding forwarding;
    private final EventLoop loop;

    private @Nullable DialHandle underWay;
    private boolean waiting;
    private int attempts;

    HopLeasing(RequestRoute route, RequestLogins logins, ExchangeOwner owner, Forwarding forwarding, EventLoop loop) {
        this.route = route;
        this.logins = logins;
        this.owner = owner;
        this.forwarding = forwarding;
        this.loop = loop;
    }

    /**
     * Begins; the route gets the connection, possibly before this returns.
     *
     * @param idleUse which idle connections will do
     * @param client that dials name, or null
     */
    void lease(HttpHop hop, IdleUse idleUse, DialRequest.@Nullable Client client) {
        underWay = null;
        PinnedConnections.Pin pin = logins.take(hop, idleUse);
        if (pin != null) {
            route.leased(pin.lease(), pin);
        } else {
            leasePooled(hop, logins.pooled(hop, idleUse), client);
        }
    }

    private void leasePooled(HttpHop hop, IdleUse idleUse, DialRequest.@Nullable Client client) {
        int attempt = ++attempts;
        waiting = true;
        EnginePool pool = hop.pool() instanceof EnginePool own ? own : forwarding.pool();
        DialHandle begun =
                pool.lease(loop, hop.key(), idleUse, client, owner.clientAddress(), hop.timeoutNanos(), this);
        if (waiting && attempts == attempt) { // it has not come to its end before this
            underWay = begun;
        }
    }

    @Override
    public void done(LoopLease got) {
        waiting = false;
        underWay = null;
        if (!got.wasIdle()) {
            owner.dialed(got.connection(), got.openingNanos());
        }
        route.leased(got, null);
    }

    @Override
    public void failed(DialException failure) {
        waiting = false;
        underWay = null;
        route.notLeased(failure);
    }

    /** Gives up to look for one. */
    void cancel() {
        if (underWay != null) {
            underWay.cancel();
            underWay = null;
        }
    }
}
