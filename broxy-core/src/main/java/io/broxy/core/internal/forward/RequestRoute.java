package io.broxy.core.internal.forward;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.OriginException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.IdleUse;
import io.broxy.core.internal.pool.LoopLease;
import io.broxy.core.internal.upstream.HttpHop;
import io.broxy.core.internal.upstream.HttpRoute;
import io.broxy.core.internal.upstream.HttpRouter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds the connection that an exchange's request goes over: by one hop after another of an {@link HttpRoute}, until one
 * works or the request cannot be sent once more.
 *
 * <pre>
 *              leased                authorized
 *   LEASING ───────────> AUTHORIZING ──────────> ROUTED ──────> OVER
 *    ^  │                    │                     │             ^
 *    │  └─ no connection ────┼─────────────────────┼─────────────┤  there is no other hop
 *    └───────────────────────┴─────────────────────┘             │
 *      there is another hop, or nothing came over a connection that had been idle
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class RequestRoute {
    private enum State {
        LEASING,
        /** The proxy's credentials are being asked for. */
        AUTHORIZING,
        /** The exchange has the connection. */
        ROUTED,
        OVER
    }

    private final Exchange exchange;
    private final ExchangeOwner owner;
    private final ForwardedRequest request;
    private final Forwarding forwarding;
    private final HostPort target;
    private final RequestLogins logins;

    /** The client that dials name, where their dialer does that. */
    private DialRequest.@Nullable Client client;

    private final HopLeasing leasing;
    private final HopLogin login;

    private State state = State.LEASING;
    private @Nullable HttpRoute route;
    private @Nullable UpstreamConnection upstream;
    private boolean retried;
    /** The request answers a challenge over the connection that brought it. */
    private boolean answering;

    RequestRoute(
            Exchange exchange, ExchangeOwner owner, Forwarding forwarding, ForwardedRequest request, EventLoop loop) {
        this.exchange = exchange;
        this.owner = owner;
        this.request = request;
        this.target = request.target().hostPort();
        this.forwarding = forwarding;
        this.logins = new RequestLogins(forwarding, request, owner);
        this.leasing = new HopLeasing(this, logins, owner, forwarding, loop);
        this.login = new HopLogin(request, owner, loop);
    }

    // ------------------------------------------------------------------ LEASING

    /**
     * Begins.
     *
     * @param router finds where the request goes
     * @param dial for the target, in case it is dialed
     */
    void start(HttpRouter router, DialRequest dial) throws DialException {
        client = dial.client();
        HttpRoute found = router.route(dial);
        ConnPool.Key begun = logins.begun();
        if (begun != null) {
            found.prefer(begun); // a login goes on over the hop where it began
        }
        route = found;
        leasing.lease(found.hop(), idleUse(), client);
    }

    /** A request that must not be sent twice does not go over a connection that may be ending just now. */
    private IdleUse idleUse() {
        return request.isRepeatable() ? IdleUse.UNREAD : IdleUse.PROMISED;
    }

    /** There is a connection, which is pinned to the client if there is a pin. */
    void leased(LoopLease got, PinnedConnections.@Nullable Pin pin) {
        HttpRoute current = route;
        if (state != State.LEASING || current == null) {
            got.close();
            return;
        }
        if (got.connection().takesThreads() && !owner.mayHaveThreads()) {
            got.close();
            exchange.fail(Rejection.TOO_MANY_THREADS.exception());
            return;
        }
        HttpHop hop = current.hop();
        UpstreamConnection leased = new UpstreamConnection(got, hop, logins.key(hop), owner.pinned(), pin);
        upstream = leased;
        state = State.AUTHORIZING;
        if (!hop.absoluteForm()) {
            current.connected();
        }
        exchange.touch();
        answering = false;
        login.first(hop, () -> authorized(leased), failure -> notAuthorized(leased, failure));
        exchange.update();
    }

    /** There is no connection. */
    void notLeased(DialException failure) {
        if (state == State.LEASING) {
            hopFailed(failure, true);
        }
    }

    // ------------------------------------------------------------------ AUTHORIZING

    private boolean isAuthorizing(UpstreamConnection asked) {
        return state == State.AUTHORIZING && upstream == asked; // else the answer is too late
    }

    /** It may have taken long, and the connection was idle all the time. */
    private void authorized(UpstreamConnection leased) {
        if (isAuthorizing(leased) && !leased.isOfClient() && !request.isRepeatable() && !leased.isReliable()) {
            again(leased.hop(), IdleUse.NEVER);
        } else {
            routed(leased);
        }
    }

    private void routed(UpstreamConnection leased) {
        if (isAuthorizing(leased)) {
            String own = login.credentials();
            String authorization = own == null ? logins.authorization(leased.hop()) : own;
            state = State.ROUTED;
            leased.bind(authorization);
            if (request.login()) {
                leased.bind(BoundLogin.OF_CLIENT);
            }
            exchange.begin(leased, authorization);
        }
    }

    private void notAuthorized(UpstreamConnection leased, DialException failure) {
        if (isAuthorizing(leased)) {
            upstream = null;
            leased.giveBack();
            hopFailed(failure, !leased.isOfClient());
        }
    }

    /** How long asking for credentials may take; 0 while they are not asked for, since leasing has its own timeout. */
    long timeoutNanos() {
        return state == State.AUTHORIZING && upstream != null ? upstream.hop().timeoutNanos() : 0;
    }

    /** Credentials did not come in time; true if they were being asked for. */
    boolean notAuthorizedInTime() {
        UpstreamConnection leased = upstream;
        if (state != State.AUTHORIZING || leased == null) {
            return false;
        }
        hopFailed(failure(leased.hop(), Reason.TIMEOUT, null), true);
        return true;
    }

    // ------------------------------------------------------------------ ROUTED

    /** The final response begins, so the hop works. */
    void answered(ForwardedResponse response) {
        if (upstream != null && upstream.hop().absoluteForm()) {
            connected();
            login.accepted(response, exchange::fail);
        }
    }

    /** The hop works. */
    void connected() {
        if (route != null) {
            route.connected();
        }
    }

    /** Whether the proxy's 407 may lead to the same request once more. */
    boolean mayBeChallenged() {
        return login.answersChallenges();
    }

    /** The connection broke, or ended, before it had said anything. */
    void unanswered(@Nullable IOException cause) {
        UpstreamConnection used = upstream;
        if (used == null || state != State.ROUTED) {
            return;
        }
        if (used.isPinned() && used.isOfClient()) {
            exchange.loginLost(cause);
        } else if (answering && request.isRepeatable()) {
            answerAnew(used, cause);
        } else if (!repeat()) {
            if (used.hop().absoluteForm() && !used.wasIdle()) {
                hopFailed(failure(used.hop(), Reason.PROTOCOL, cause), request.isRepeatable());
            } else {
                exchange.fail(new OriginException(OriginException.Reason.NO_RESPONSE, target, cause));
            }
        }
    }

    /** Sends the request once more if its connection had been idle, and given up by its peer; false if that may not be. */
    boolean repeat() {
        UpstreamConnection used = upstream;
        if (used == null
                || state != State.ROUTED
                || retried
                || !used.wasIdle()
                || used.isOfClient()
                || !request.isRepeatable()) {
            return false;
        }
        retried = true;
        used.closeUnanswered();
        again(used.hop(), IdleUse.NEVER);
        return true;
    }

    /**
     * The answer is 407: its sender has not done what was asked, whatever that was.
     *
     * @param rest what has come behind its head
     * @param repeatable whether the request can be sent once more
     */
    void credentialsRefused(ForwardedResponse challenge, ByteBuffer rest, boolean repeatable) {
        UpstreamConnection used = upstream;
        if (used != null && used.hop().absoluteForm() && repeatable && login.mayAnswer()) {
            exchange.unbegin();
            state = State.AUTHORIZING;
            exchange.touch();
            login.answer(
                    used, challenge, rest, answered -> answer(used, answered), failure -> notAuthorized(used, failure));
        } else if (used != null && used.hop().absoluteForm()) {
            hopFailed(failure(used.hop(), Reason.PROXY_AUTH, null), repeatable);
        } else {
            exchange.fail(new OriginException(OriginException.Reason.PROXY_AUTH, target, null));
        }
    }

    private void answer(UpstreamConnection used, boolean answered) {
        if (!isAuthorizing(used)) {
            return;
        }
        boolean fit = login.isBound() || used.isOfClient() || request.isRepeatable() || used.isReliable();
        if (!answered) {
            hopFailed(login.failure(used.hop(), null).build(), true);
        } else if (login.isConnectionKept() && fit) {
            answering = true;
            routed(used);
            exchange.update();
        } else {
            answerAnew(used, null);
        }
    }

    /** The proxy has ended the connection that brought the challenge. */
    private void answerAnew(UpstreamConnection used, @Nullable IOException cause) {
        if (login.isBound() || used.isOfClient()) {
            IOException ended = new IOException("the proxy ended the connection, to which the login is bound", cause);
            hopFailed(login.failure(used.hop(), ended).build(), false);
        } else {
            login.moveOn(used.hop());
            again(used.hop(), idleUse());
        }
    }

    /** The proxy does not open the tunnel, for which it is no matter of the client's credentials. */
    void tunnelRefused(ForwardedResponse response) {
        HttpHop hop = Objects.requireNonNull(upstream, "a connection is in use").hop();
        hopFailed(logins.tunnelRefused(hop, response), true);
    }

    /** How long the response may take: one to CONNECT, as long as the tunnel. */
    long responseNanos() {
        return request.isConnect() && upstream != null ? upstream.hop().timeoutNanos() : forwarding.responseNanos();
    }

    /**
     * No answer came in time.
     *
     * @param requestComplete whether only the answer was missing, and nothing of the request
     */
    void notAnsweredInTime(boolean requestComplete) {
        UpstreamConnection used = upstream;
        if (used != null && used.hop().absoluteForm() && requestComplete) {
            hopFailed(failure(used.hop(), Reason.TIMEOUT, null), false);
        } else {
            exchange.fail(new OriginException(OriginException.Reason.TIMEOUT, target, null));
        }
    }

    // ------------------------------------------------------------------ the next hop

    private DialException failure(HttpHop hop, Reason reason, @Nullable Throwable cause) {
        return hop.failure(reason, target).cause(cause).build();
    }

    /** Goes by another hop, if there is one and the request may be sent once more: a login goes on where it began. */
    private void hopFailed(DialException failure, boolean repeatable) {
        HttpRoute current = Objects.requireNonNull(route, "a route was taken");
        DialException all = current.failed(failure);
        if (all == null && repeatable && (upstream == null || !upstream.isOfClient())) {
            HttpHop next = current.hop();
            if (request.isConnect() && !logins.pass(next)) {
                exchange.dialInstead();
            } else {
                again(next, idleUse());
            }
        } else {
            exchange.fail(all == null ? failure : all);
        }
    }

    private void again(HttpHop hop, IdleUse idleUse) {
        UpstreamConnection used = upstream;
        upstream = null;
        login.cancel();
        if (used != null) {
            used.close();
        }
        exchange.unbegin();
        state = State.LEASING;
        leasing.lease(hop, idleUse, client);
        exchange.update();
    }

    // ------------------------------------------------------------------ ends

    /** Gives the connection back, which may serve another request if it {@code may} for all that the exchange knows. */
    void giveBack(boolean may) {
        UpstreamConnection used = take();
        if (used != null && may) {
            used.giveBack();
        } else if (used != null) {
            used.end();
        }
    }

    /** Leaves the connection to the caller. */
    LoopConnection detach() {
        UpstreamConnection used = take();
        if (used == null) {
            throw new IllegalStateException("there is no origin");
        }
        return used.detach();
    }

    /**
     * Closes the connection, or gives up to look for one.
     *
     * @param sent whether the request has gone out whole: what the origin did not get whole it must not take for whole
     */
    void close(boolean sent) {
        leasing.cancel();
        login.cancel();
        UpstreamConnection used = take();
        if (used != null) {
            if (!sent) {
                used.connection().abort();
            }
            used.end();
        }
    }

    private @Nullable UpstreamConnection take() {
        UpstreamConnection used = upstream;
        upstream = null;
        state = State.OVER;
        return used;
    }
}
