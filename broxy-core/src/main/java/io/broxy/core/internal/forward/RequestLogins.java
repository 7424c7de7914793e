package io.broxy.core.internal.forward;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.http.AuthSchemes;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.upstream.HttpHop;
import org.jspecify.annotations.Nullable;

/**
 * Which connections a request may go over for the logins of its client: at the origin, and at the next proxy where the client
 * logs in there itself.
 *
 * <p>Threading: owned by its event loop.
 */
final class RequestLogins {
    private final boolean passProxyAuthentication;
    private final ForwardedRequest request;
    private final HostPort target;
    private final ExchangeOwner owner;

    RequestLogins(Forwarding forwarding, ForwardedRequest request, ExchangeOwner owner) {
        this.passProxyAuthentication = forwarding.passProxyAuthentication();
        this.request = request;
        this.target = request.target().hostPort();
        this.owner = owner;
    }

    /** Whether the client logs in at a hop itself: at a proxy for which this one has no credentials. */
    boolean pass(HttpHop hop) {
        return passProxyAuthentication && hop.takesLogins();
    }

    /** What the client says to a hop at which it logs in itself; null for nothing, and to other hops. */
    @Nullable
    String authorization(HttpHop hop) {
        return pass(hop) ? request.proxyAuthorization() : null;
    }

    /** The far end where a login of the client has begun; null if there is none. */
    ConnPool.@Nullable Key begun() {
        PinnedConnections pins = owner.pinned();
        return pins.isEmpty() ? null : pins.farEnd(target, owner.identity());
    }

    /**
     * What a connection is kept for. A client that logs in at a proxy itself has one connection to it for everything, as if
     * there were nothing between.
     */
    PinnedConnections.Key key(HttpHop hop) {
        return new PinnedConnections.Key(hop.key(), pass(hop) ? null : target, owner.identity());
    }

    /** Takes a connection that is kept for the client, if it may be used; closes it otherwise. Null if there is none. */
    PinnedConnections.@Nullable Pin take(HttpHop hop, IdleUse idleUse) {
        PinnedConnections pins = owner.pinned();
        PinnedConnections.Pin pin = pins.isEmpty() ? null : pins.take(key(hop));
        if (pin != null && !mayUse(pin, idleUse)) {
            pin.lease().close();
            return null;
        }
        return pin;
    }

    /** A client's login has no other connection; where this proxy logs in, another one is as good. */
    private static boolean mayUse(PinnedConnections.Pin pin, IdleUse idleUse) {
        return switch (idleUse) {
            case ANY, UNREAD -> true;
            case PROMISED -> pin.login() == BoundLogin.OF_CLIENT || pin.lease().isReliable();
            case NEVER -> pin.login() == BoundLogin.OF_CLIENT;
        };
    }

    /** The failure of a CONNECT that a hop does not open, for another reason than that it wants the client to log in. */
    DialException tunnelRefused(HttpHop hop, ForwardedResponse response) {
        DialException.Reason reason = AuthSchemes.connectRefusal(response.status());
        return hop.failure(reason, target).proxyReply(response.asReply()).build();
    }

    /** Which idle connections of the pool the request may take: none, if it begins a login that another could not go on with. */
    IdleUse pooled(HttpHop hop, IdleUse idleUse) {
        boolean begins = request.login() || (pass(hop) && request.proxyLogin());
        return begins ? IdleUse.NEVER : idleUse;
    }
}
