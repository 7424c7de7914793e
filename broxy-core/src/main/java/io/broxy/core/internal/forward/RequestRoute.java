package io.broxy.core.internal.forward;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.OriginException;
import io.broxy.core.internal.http.AuthSchemes;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The connection that an exchange's request goes over: found along one way after another, until one works and the request
 * cannot be sent once more.
 *
 * <pre>
 *              leased                authorized
 *   LEASING ───────────> AUTHORIZING ──────────> ROUTED ──────> OVER
 *    ^  │                    │                     │             ^
 *    │  └─ no connection ────┼─────────────────────┼─────────────┤  there is no other way
 *    └───────────────────────┴─────────────────────┘             │
 *      there is another way, or nothing came over a connection that had been idle
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class RequestRoute implements Completion<LoopLease> {
    private enum State {
        LEASING,
        /** The proxy's credentials are being asked for. */
        AUTHORIZING,
        /** The exchange has the connection. */
        ROUTED,
        OVER
    }

    private final Exchange exchange;
    private final Forwarding forwarding;
    private final ForwardedRequest request;

    /** The client that dials name, where their dialer does that. */
    private DialRequest.@Nullable Client client;

    private State state = State.LEASING;
    private @Nullable HttpRoute route;
    private @Nullable DialHandle leasing;
    private @Nullable LoopLease lease;
    private int attempts;
    private boolean retried;

    /** Of the connection in use: it goes to no other client when there is one. */
    private BoundLogin login = BoundLogin.NONE;

    /** The connection in use was {@linkplain PinnedConnections kept} for the client. */
    private boolean pinned;

    RequestRoute(Exchange exchange, Forwarding forwarding, ForwardedRequest request) {
        this.exchange = exchange;
        this.forwarding = forwarding;
        this.request = request;
    }

    // ------------------------------------------------------------------ LEASING

    /**
     * Begins.
     *
     * @param dial for the target, in case it is dialled
     */
    void start(DialRequest dial) throws DialException {
        client = dial.client();
        HttpRoute found = forwarding.router().route(dial);
        PinnedConnections all = exchange.pinned();
        ConnPool.Key begun = all.isEmpty() ? null : all.hopTo(exchange.target(), exchange.identity());
        if (begun != null) {
            found.prefer(begun); // a login goes on over the hop where it began
        }
        route = found;
        lease(found.way(), idleUse());
    }

    /** What must not be sent twice does not go over a connection that may be ending just now. */
    private IdleUse idleUse() {
        return isRepeatable() ? IdleUse.UNREAD : IdleUse.PROMISED;
    }

    private boolean isRepeatable() {
        return request.isIdempotent() && request.body().isEmpty();
    }

    private void lease(HttpHop way, IdleUse idleUse) {
        leasing = null;
        PinnedConnections all = exchange.pinned();
        PinnedConnections.Pin pin = all.isEmpty() ? null : all.take(key(way));
        if (pin != null && !mayUse(pin, idleUse)) {
            pin.lease().close();
            pin = null;
        }
        pinned = pin != null;
        login = pin == null ? BoundLogin.NONE : pin.login();
        if (pin != null) {
            done(pin.lease());
            return;
        }
        leasePooled(way, request.login() ? IdleUse.NEVER : idleUse);
    }

    /** A client's login has no other connection; where this proxy logs in, another one is as good. */
    private static boolean mayUse(PinnedConnections.Pin pin, IdleUse idleUse) {
        return switch (idleUse) {
            case ANY, UNREAD -> true;
            case PROMISED -> pin.login() == BoundLogin.OF_CLIENT || pin.lease().isReliable();
            case NEVER -> pin.login() == BoundLogin.OF_CLIENT;
        };
    }

    private PinnedConnections.Key key(HttpHop way) {
        return new PinnedConnections.Key(way.hop(), exchange.target(), exchange.identity());
    }

    private void leasePooled(HttpHop way, IdleUse idleUse) {
        int attempt = ++attempts;
        EnginePool pool = way.pool() instanceof EnginePool own ? own : forwarding.pool();
        DialHandle underWay = pool.lease(
                exchange.loop(), way.hop(), idleUse, client, exchange.clientAddress(), way.timeoutNanos(), this);
        if (state == State.LEASING && attempts == attempt) { // it has not come to its end before this
            leasing = underWay;
        }
    }

    @Override
    public void done(LoopLease got) {
        HttpRoute current = route;
        if (state != State.LEASING || current == null) {
            got.close();
            return;
        }
        leasing = null;
        if (got.connection().takesThreads() && !exchange.mayHaveThreads()) {
            got.close();
            exchange.fail(Rejection.TOO_MANY_THREADS.exception());
            return;
        }
        lease = got;
        state = State.AUTHORIZING;
        HttpHop way = current.way();
        if (!way.absoluteForm()) {
            current.connected();
        }
        exchange.touch();
        if (way.credentials() == ProxyAuthorization.NONE) {
            routed(got, way, null);
        } else {
            way.authorization(
                    exchange.loop(),
                    exchange.target(),
                    value -> authorized(got, way, value),
                    failure -> notAuthorized(got, failure));
        }
        exchange.update();
    }

    @Override
    public void failed(DialException failure) {
        leasing = null;
        if (state == State.LEASING && route != null) {
            wayFailed(route, failure, true);
        }
    }

    // ------------------------------------------------------------------ AUTHORIZING

    /** It may have taken long, and the connection was idle all the time. */
    private void authorized(LoopLease got, HttpHop way, @Nullable String authorization) {
        if (state == State.AUTHORIZING
                && lease == got
                && login != BoundLogin.OF_CLIENT
                && !isRepeatable()
                && !got.isReliable()) {
            again(way, IdleUse.NEVER);
        } else {
            routed(got, way, authorization);
        }
    }

    private void routed(LoopLease got, HttpHop way, @Nullable String authorization) {
        if (state == State.AUTHORIZING && lease == got) { // else it is too late
            state = State.ROUTED;
            if (authorization != null && AuthSchemes.bindConnection(authorization)) {
                bind(BoundLogin.OF_PROXY);
            }
            if (request.login()) {
                bind(BoundLogin.OF_CLIENT);
            }
            exchange.begin(got.connection(), way, authorization);
        }
    }

    private void notAuthorized(LoopLease got, DialException failure) {
        HttpRoute current = route;
        if (state == State.AUTHORIZING && lease == got && current != null) {
            lease = null;
            giveBack(got);
            wayFailed(current, failure, true);
        }
    }

    /** For how long credentials may be asked for; 0 when they are not, for leasing keeps its time by itself. */
    long timeoutNanos() {
        return state == State.AUTHORIZING && route != null ? route.way().timeoutNanos() : 0;
    }

    /** Whoever is asked for the proxy's credentials does not answer; true if somebody is asked. */
    boolean notAuthorizedInTime() {
        HttpRoute current = route;
        if (state != State.AUTHORIZING || current == null) {
            return false;
        }
        wayFailed(current, failure(current.way(), Reason.TIMEOUT, null), true);
        return true;
    }

    // ------------------------------------------------------------------ ROUTED

    /** A login is bound to the connection, by which it belongs to this client's. */
    void bind(BoundLogin found) {
        if (found.compareTo(login) > 0) {
            login = found;
        }
    }

    BoundLogin login() {
        return login;
    }

    /** Whether the connection leads to another proxy, which takes the request on. */
    boolean isByProxy() {
        return route != null && route.way().absoluteForm();
    }

    /** The final response begins, so that the way works. */
    void answered() {
        if (route != null && route.way().absoluteForm()) {
            route.connected();
        }
    }

    /** The connection broke, or ended, before it had said anything. */
    void unanswered(@Nullable IOException cause) {
        LoopLease used = lease;
        HttpRoute current = route;
        if (used == null || current == null || state != State.ROUTED) {
            return;
        }
        if (pinned && login == BoundLogin.OF_CLIENT) {
            exchange.loginLost(cause);
            return;
        }
        if (repeat()) {
            return;
        }
        HttpHop way = current.way();
        if (way.absoluteForm() && !used.wasIdle() && !pinned) {
            wayFailed(current, failure(way, Reason.PROTOCOL, cause), isRepeatable());
        } else {
            exchange.fail(new OriginException(OriginException.Reason.NO_RESPONSE, exchange.target(), cause));
        }
    }

    /** As {@link Exchange#repeat}: the connection had been idle, and its peer had given it up. */
    boolean repeat() {
        LoopLease used = lease;
        HttpRoute current = route;
        if (used == null || current == null || state != State.ROUTED) {
            return false;
        }
        boolean wasIdle = used.wasIdle() || pinned;
        if (!wasIdle || retried || !isRepeatable() || login == BoundLogin.OF_CLIENT) {
            return false;
        }
        retried = true;
        if (!pinned) { // else its idle times are the client's doing
            used.closeUnanswered();
        }
        again(current.way(), IdleUse.NEVER);
        return true;
    }

    /** The response has been read whole, and the connection is idle from now on. */
    void originDone(KeepAlive said) {
        if (lease != null) {
            lease.answered(said.timeoutNanos(), said.max());
        }
    }

    /**
     * The answer is 407: whoever gave it has not done what was asked, whatever that was.
     *
     * @param repeatable whether the request may go another way
     */
    void credentialsRefused(boolean repeatable) {
        HttpRoute current = route;
        if (current != null && current.way().absoluteForm()) {
            wayFailed(current, failure(current.way(), Reason.PROXY_AUTH, null), repeatable);
        } else {
            exchange.fail(new OriginException(OriginException.Reason.PROXY_AUTH, exchange.target(), null));
        }
    }

    /**
     * No answer came in time.
     *
     * @param requestComplete whether none was owed by anybody else
     */
    void notAnsweredInTime(boolean requestComplete) {
        HttpRoute current = route;
        if (current != null && current.way().absoluteForm() && requestComplete) {
            wayFailed(current, failure(current.way(), Reason.TIMEOUT, null), false);
        } else {
            exchange.fail(new OriginException(OriginException.Reason.TIMEOUT, exchange.target(), null));
        }
    }

    // ------------------------------------------------------------------ the next way

    private DialException failure(HttpHop way, Reason reason, @Nullable Throwable cause) {
        DialException.Builder failure = way.failure(reason, exchange.target());
        return (cause == null ? failure : failure.cause(cause)).build();
    }

    /** Goes another way, if there is one and the request may be sent once more: a login goes on where it began. */
    private void wayFailed(HttpRoute current, DialException failure, boolean repeatable) {
        DialException all = current.failed(failure);
        if (all == null && repeatable && login != BoundLogin.OF_CLIENT) {
            again(current.way(), idleUse());
        } else {
            exchange.fail(all == null ? failure : all);
        }
    }

    private void again(HttpHop way, IdleUse idleUse) {
        LoopLease used = lease;
        lease = null;
        if (used != null) {
            used.close();
        }
        exchange.unbegin();
        state = State.LEASING;
        lease(way, idleUse);
        exchange.update();
    }

    // ------------------------------------------------------------------ ends

    /** Gives the connection back, which may serve another request if it {@code may} for all that the exchange knows. */
    void giveBack(boolean may) {
        LoopLease used = take();
        if (used != null && may) {
            giveBack(used);
        } else if (used != null) {
            end(used);
        }
    }

    private void giveBack(LoopLease used) {
        HttpRoute current = route;
        if (login == BoundLogin.NONE || current == null) {
            used.giveBack();
        } else {
            exchange.pinned().keep(key(current.way()), used, login);
        }
    }

    private void end(LoopLease used) {
        used.close();
        exchange.pinned().ended(login);
    }

    /** Leaves the connection to the caller. */
    LoopConnection detach() {
        LoopLease used = take();
        if (used == null) {
            throw new IllegalStateException("there is no origin");
        }
        used.detach();
        return used.connection();
    }

    /**
     * Closes the connection, or gives up to look for one.
     *
     * @param sent whether the request has gone out whole: what the origin did not get whole it must not take for whole
     */
    void close(boolean sent) {
        if (leasing != null) {
            leasing.cancel();
        }
        LoopLease used = take();
        if (used != null) {
            if (!sent) {
                used.connection().abort();
            }
            end(used);
        }
    }

    private @Nullable LoopLease take() {
        LoopLease used = lease;
        lease = null;
        leasing = null;
        state = State.OVER;
        return used;
    }
}
