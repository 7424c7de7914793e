package io.broxy.core.internal.forward;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.HttpRoute;
import io.broxy.core.internal.net.HttpWay;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.net.ProxyAuthorization;
import io.broxy.core.internal.pool.EnginePool;
import io.broxy.core.internal.pool.LoopLease;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request of a client and its response. Both bodies stream, each side held back by the other, so the response may
 * begin, and end, before the request is whole.
 *
 * <pre>
 *              leased                        response whole and written
 *   ROUTING ───────────> EXCHANGING ──────────────────────────────────────> OVER
 *    ^  │                  │   │  broken in the middle                         ^
 *    │  │ no connection    │   └─────────────────────────> CUTTING ────────────┤
 *    │  └──────────────────┼────────────────────────────────────────────────── ┤
 *    └─────────────────────┘  nothing came over a connection that had been idle
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class Exchange implements LoopLease.Outcome {
    private enum State {
        /** A connection to the origin or the next proxy is being leased. */
        ROUTING,
        /** The request goes out and the response comes in. */
        EXCHANGING,
        /** The rest of the response will not come; the client still gets what came. */
        CUTTING,
        OVER
    }

    private final Forwarding forwarding;
    private final ForwardedRequest request;
    private final LoopConnection client;
    private final ExchangeOwner owner;
    private final EventLoop loop;
    private final @Nullable Throttles throttles;
    private final RequestSide requestSide;

    private State state = State.ROUTING;
    private @Nullable HttpRoute route;
    private LoopDialer.@Nullable Dialing leasing;
    private @Nullable LoopLease lease;
    private @Nullable SocketAddress peer;
    private @Nullable ResponseSide responseSide;
    private int attempts;
    private boolean retried;
    private long lastActivityNanos;
    private @Nullable CloseReason cutReason;
    private @Nullable Throwable cutCause;

    /**
     * Creates an exchange.
     *
     * @param request whose target is in absolute form
     * @param unread whether something that came behind the request's head waits at the client's connection
     */
    public Exchange(
            Forwarding forwarding,
            ForwardedRequest request,
            LoopConnection client,
            boolean unread,
            ExchangeOwner owner) {
        this.forwarding = forwarding;
        this.request = request;
        this.client = client;
        this.owner = owner;
        this.loop = client.loop();
        this.lastActivityNanos = loop.nowNanos();
        this.throttles = owner.throttles();
        this.requestSide =
                new RequestSide(this, client, request, unread, throttles == null ? null : throttles.toOrigin());
    }

    /** The request. */
    public ForwardedRequest request() {
        return request;
    }

    /** Where it goes. */
    public HostPort target() {
        return request.target().hostPort();
    }

    // ------------------------------------------------------------------ ROUTING

    /**
     * Begins.
     *
     * @param dial for the target, in case it is dialled
     */
    public void start(DialRequest dial) {
        client.handler(requestSide);
        try {
            HttpRoute way = forwarding.router().route(dial);
            route = way;
            lease(way.way(), false);
        } catch (DialException e) {
            fail(e);
            return;
        }
        update();
    }

    private void lease(HttpWay way, boolean fresh) {
        leasing = null;
        int attempt = ++attempts;
        EnginePool pool = way.pool() instanceof EnginePool own ? own : forwarding.pool();
        LoopDialer.Dialing underWay = fresh
                ? pool.leaseFresh(loop, way.hop(), way.timeoutNanos(), this)
                : pool.lease(loop, way.hop(), way.timeoutNanos(), this);
        if (state == State.ROUTING && lease == null && attempts == attempt) { // it has not come to its end before this
            leasing = underWay;
        }
    }

    @Override
    public void leased(LoopLease got) {
        HttpRoute current = route;
        if (state != State.ROUTING || current == null) {
            got.close();
            return;
        }
        leasing = null;
        if (got.connection().takesThreads() && !owner.mayHaveThreads()) {
            got.close();
            fail(new RefusedException(RefusedException.Reason.LIMIT, 503, "too many connections that take threads"));
            return;
        }
        lease = got;
        HttpWay way = current.way();
        if (!way.absoluteForm()) {
            current.connected();
        }
        touch();
        if (way.credentials() == ProxyAuthorization.NONE) {
            begin(got, way, null);
        } else {
            way.authorization(loop, target(), value -> begin(got, way, value), failure -> notAuthorized(got, failure));
        }
        update();
    }

    private void notAuthorized(LoopLease got, DialException failure) {
        if (state == State.ROUTING && lease == got) {
            lease = null;
            got.reuse();
            failed(failure);
        }
    }

    private void begin(LoopLease got, HttpWay way, @Nullable String authorization) {
        if (state != State.ROUTING || lease != got) {
            return; // too late
        }
        state = State.EXCHANGING;
        touch();
        LoopConnection origin = got.connection();
        peer = origin.peer();
        ResponseSide responses =
                new ResponseSide(this, origin, client, request, throttles == null ? null : throttles.toClient());
        responseSide = responses;
        origin.handler(responses);
        ByteBuffer out = loop.buffers().staging();
        if (way.absoluteForm()) {
            request.writeForProxy(out, fields(way, authorization), forwarding.pseudonym());
        } else {
            request.write(out, false, null, forwarding.pseudonym());
        }
        requestSide.begin(origin, out);
        update();
    }

    private static List<ConnectRequest.Field> fields(HttpWay way, @Nullable String authorization) {
        if (authorization == null) {
            return way.fields();
        }
        List<ConnectRequest.Field> fields = new ArrayList<>(way.fields());
        fields.add(new ConnectRequest.Field("Proxy-Authorization", authorization));
        return fields;
    }

    @Override
    public void failed(DialException failure) {
        leasing = null;
        if (state == State.ROUTING && route != null) {
            wayFailed(route, failure, true);
        }
    }

    /** Goes another way, if there is one and the request may be sent once more. */
    private void wayFailed(HttpRoute current, DialException failure, boolean repeatable) {
        DialException all = current.failed(failure);
        if (all == null && repeatable) {
            again(current.way(), false);
        } else {
            fail(all == null ? failure : all);
        }
    }

    private void again(HttpWay way, boolean fresh) {
        LoopLease used = lease;
        lease = null;
        if (used != null) {
            used.close();
        }
        if (responseSide != null) {
            responseSide.release();
            responseSide = null;
        }
        requestSide.release();
        state = State.ROUTING;
        lease(way, fresh);
        update();
    }

    // ------------------------------------------------------------------ EXCHANGING

    EventLoop loop() {
        return loop;
    }

    @Nullable
    String pseudonym() {
        return forwarding.pseudonym();
    }

    /** Whether the client's connection may carry another request, for all that is known now. */
    boolean mayPersist() {
        return request.persistent() && requestSide.isSent() && !requestSide.clientHasEnded() && owner.mayPersist();
    }

    boolean requestComplete() {
        return requestSide.isComplete();
    }

    boolean isOver() {
        return state == State.OVER;
    }

    /** Something has moved. */
    void touch() {
        lastActivityNanos = loop.nowNanos();
    }

    /** Waits for what each side can do next. */
    void update() {
        if (state == State.OVER) {
            return;
        }
        owner.due(deadlineNanos());
        try {
            ResponseSide responses = responseSide;
            boolean responseBlocked = responses != null && responses.isBlocked();
            int reading = state != State.CUTTING && requestSide.wantsRead() ? SelectionKey.OP_READ : 0;
            client.interest(reading | (responseBlocked ? SelectionKey.OP_WRITE : 0));
            if (responses != null && state == State.EXCHANGING) {
                int writing = requestSide.isBlocked() ? SelectionKey.OP_WRITE : 0;
                responses.interest((responses.wantsRead() ? SelectionKey.OP_READ : 0) | writing);
            }
        } catch (IOException e) {
            clientGone(e);
        }
    }

    void flushRequest() {
        requestSide.flush();
    }

    void flushResponse() {
        if (responseSide == null) {
            return;
        }
        responseSide.flush();
        if (state == State.CUTTING && !responseSide.isBlocked()) {
            endCut();
        }
    }

    /** The final response begins. */
    void answered() {
        if (route != null && route.way().absoluteForm()) {
            route.connected();
        }
    }

    /** The connection broke, or ended, before it had said anything. */
    void unanswered(@Nullable IOException cause) {
        LoopLease used = lease;
        HttpRoute current = route;
        if (used == null || current == null || state != State.EXCHANGING) {
            return;
        }
        boolean repeatable = request.isIdempotent() && request.body().isEmpty();
        HttpWay way = current.way();
        if (used.wasIdle() && repeatable && !retried) {
            retried = true;
            again(way, true);
        } else if (way.absoluteForm() && !used.wasIdle()) {
            wayFailed(current, failure(way, Reason.PROTOCOL, cause), repeatable);
        } else {
            fail(new OriginException(OriginException.Reason.NO_RESPONSE, target(), cause));
        }
    }

    /** The answer is 407: whoever gave it has not done what was asked, whatever that was. */
    void credentialsRefused() {
        HttpRoute current = route;
        if (current != null && current.way().absoluteForm()) {
            boolean repeatable = request.body().isEmpty() && responseSide != null && !responseSide.isBlocked();
            wayFailed(current, failure(current.way(), Reason.PROXY_AUTH, null), repeatable);
        } else {
            fail(new OriginException(OriginException.Reason.PROXY_AUTH, target(), null));
        }
    }

    private DialException failure(HttpWay way, Reason reason, @Nullable Throwable cause) {
        DialException.Builder failure = way.failure(reason, target());
        return (cause == null ? failure : failure.cause(cause)).build();
    }

    private void notAnsweredInTime() {
        HttpRoute current = route;
        if (current != null && current.way().absoluteForm() && requestSide.isComplete()) {
            wayFailed(current, failure(current.way(), Reason.TIMEOUT, null), false);
        } else {
            fail(new OriginException(OriginException.Reason.TIMEOUT, target(), null));
        }
    }

    // ------------------------------------------------------------------ ends

    /** The response is written, and the origin's connection can or cannot be used again. */
    void complete(boolean persistent, boolean originReusable) {
        boolean whole = requestSide.isSent();
        LoopLease used = lease;
        over();
        if (used != null) {
            if (originReusable && whole) {
                used.reuse();
            } else {
                used.close();
            }
        }
        owner.completed(persistent && whole && !requestSide.clientHasEnded());
    }

    /** The origin has switched protocols. */
    void upgrade(ByteBuffer answer, int answerBytes) {
        LoopLease used = lease;
        if (used == null) {
            throw new IllegalStateException("there is no origin");
        }
        lease = null; // the connection stays open
        over();
        used.detach();
        owner.upgraded(used.connection(), answer, answerBytes);
    }

    /** The client's fault is in the body. */
    void badRequest(BadHeadException bad) {
        fail(badBody(bad));
    }

    private static RefusedException badBody(BadHeadException bad) {
        return new RefusedException(RefusedException.Reason.BAD_REQUEST, 400, String.valueOf(bad.getMessage()));
    }

    /** No response comes, or none that can be passed on. */
    void fail(IOException failure) {
        if (state == State.OVER) {
            return;
        }
        if (responseSide != null && (responseSide.hasBegun() || responseSide.isBlocked())) {
            cut(failure instanceof RefusedException ? CloseReason.REFUSED : CloseReason.ORIGIN_RESET, failure);
            return;
        }
        boolean read = requestSide.isComplete() && !requestSide.clientHasEnded();
        closeOrigin();
        over();
        owner.failed(failure, read);
    }

    /** The rest of the response will not come. */
    void cut(CloseReason reason, @Nullable Throwable cause) {
        if (state != State.EXCHANGING) {
            return;
        }
        closeOrigin();
        state = State.CUTTING;
        cutReason = reason;
        cutCause = cause;
        if (responseSide != null && responseSide.isBlocked()) {
            update();
        } else {
            endCut();
        }
    }

    private void endCut() {
        boolean hidden = responseSide != null && !responseSide.isDelimited();
        CloseReason reason = cutReason == null ? CloseReason.FAILED : cutReason;
        over();
        owner.cut(reason, cutCause, hidden);
    }

    void clientGone(@Nullable IOException cause) {
        if (state == State.OVER) {
            return;
        }
        cancel();
        owner.clientGone(cause);
    }

    void abandoned(Throwable cause) {
        owner.abandoned(cause);
    }

    /** Ends it without a word to its owner; the client's connection is left as it is. */
    public void cancel() {
        if (state == State.OVER) {
            return;
        }
        if (leasing != null) {
            leasing.cancel();
        }
        closeOrigin();
        over();
    }

    /** What the origin did not get whole it must not take for whole. */
    private void closeOrigin() {
        LoopLease used = lease;
        lease = null;
        if (used != null) {
            if (!requestSide.isSent()) {
                used.connection().abort();
            }
            used.close();
        }
    }

    private void over() {
        state = State.OVER;
        leasing = null;
        if (throttles != null) {
            throttles.stop();
        }
        requestSide.release();
        if (responseSide != null) {
            responseSide.release();
        }
    }

    // ------------------------------------------------------------------ time

    /** When something must have happened, for all that is known now. */
    public long deadlineNanos() {
        return lastActivityNanos + limitNanos();
    }

    private long limitNanos() {
        if (state == State.ROUTING && lease != null && route != null) {
            return route.way().timeoutNanos();
        }
        boolean answerDue = requestSide.isSent() && (responseSide == null || !responseSide.hasBegun());
        return answerDue ? forwarding.times().answerNanos() : forwarding.times().bodyNanos();
    }

    /** The deadline has passed. */
    public void timedOut() {
        switch (state) {
            case ROUTING -> notAuthorizedInTime();
            case EXCHANGING -> {
                if (responseSide != null && responseSide.hasBegun()) {
                    cut(CloseReason.IDLE, null);
                } else if (requestSide.isComplete() || requestSide.isBlocked()) {
                    notAnsweredInTime();
                } else {
                    fail(new RefusedException(
                            RefusedException.Reason.BODY_TIMEOUT, 408, "the request's body did not come in time"));
                }
            }
            case CUTTING -> {
                if (responseSide != null) {
                    responseSide.release();
                }
                endCut();
            }
            case OVER -> {}
        }
    }

    /** Whoever is asked for the proxy's credentials does not answer; getting a connection has a time of its own. */
    private void notAuthorizedInTime() {
        HttpRoute current = route;
        if (lease == null || current == null) {
            touch();
        } else {
            wayFailed(current, failure(current.way(), Reason.TIMEOUT, null), true);
        }
    }

    /** The status of the final response, once that has begun; else 0. */
    public int status() {
        return responseSide == null ? 0 : responseSide.status();
    }

    /** Where the request was sent last; null if there was no connection. */
    public @Nullable SocketAddress peer() {
        return peer;
    }

    /** Bytes that the origin has taken. */
    public long bytesToOrigin() {
        return requestSide.moved();
    }

    /** Bytes that the client has taken. */
    public long bytesToClient() {
        return responseSide == null ? 0 : responseSide.moved();
    }
}
