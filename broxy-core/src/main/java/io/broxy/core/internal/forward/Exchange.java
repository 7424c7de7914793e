package io.broxy.core.internal.forward;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.HostPort;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.ForwardedResponse;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.BreakWatch;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.upstream.HttpRouter;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request of a client and its response. Both bodies stream, each side held back by the other, so the response may
 * begin, and end, before the request is whole.
 *
 * <pre>
 *              routed                        response whole and written
 *   ROUTING ───────────> EXCHANGING ──────────────────────────────────────> OVER
 *    ^  │                  │   │  broken in the middle                         ^
 *    │  │ no connection    │   └─────────────────────────> CUTTING ────────────┤
 *    │  └──────────────────┼────────────────────────────────────────────────── ┘
 *    └─────────────────────┘  no answer, and {@link RequestRoute} knows another hop
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
public final class Exchange {
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
    private final @Nullable BreakWatch watch;
    private final RequestSide requestSide;
    private final RequestRoute routing;

    private State state = State.ROUTING;
    private @Nullable SocketAddress peer;
    private @Nullable ResponseSide responseSide;
    private long lastActivityNanos;
    private CloseReason cutReason = CloseReason.FAILED;
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
        this.watch = throttles == null ? null : new BreakWatch(client, throttles::isWaiting, this::clientGone);
        this.requestSide =
                new RequestSide(this, client, request, unread, throttles == null ? null : throttles.toOrigin());
        this.routing = new RequestRoute(this, owner, forwarding, request, loop);
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

    /** Begins: finds where the request goes, and dials its target if it has to. */
    public void start(HttpRouter router, DialRequest dial) {
        client.handler(requestSide);
        try {
            routing.start(router, dial);
        } catch (DialException e) {
            fail(e);
            return;
        }
        update();
    }

    /** The request can be sent. */
    void begin(UpstreamConnection upstream, @Nullable String authorization) {
        state = State.EXCHANGING;
        touch();
        LoopConnection origin = upstream.connection();
        peer = origin.peer();
        ResponseSide responses = new ResponseSide(
                this, owner, upstream, client, request, forwarding, throttles == null ? null : throttles.toClient());
        responseSide = responses;
        origin.handler(responses);
        List<ConnectRequest.Field> fields = upstream.fields(authorization);
        int room = request.maxBytes(fields, forwarding.pseudonym()) + 2 * LoopBuffers.MIN_READ;
        ByteBuffer out = loop.buffers().staging(room);
        request.write(out, upstream.hop().absoluteForm(), fields, forwarding.pseudonym());
        requestSide.begin(origin, out, routing.mayBeChallenged());
        update();
    }

    /** The request is to be sent once more, when another connection is there; nothing of a response has gone out. */
    void unbegin() {
        state = State.ROUTING;
        requestSide.rewind();
        if (responseSide != null) {
            responseSide.release();
            responseSide = null;
        }
    }

    // ------------------------------------------------------------------ EXCHANGING

    EventLoop loop() {
        return loop;
    }

    /** Whether the client's connection may carry another request, for all that is known now. */
    boolean mayPersist() {
        return request.persistent()
                && requestSide.isSent()
                && !requestSide.clientHasEnded()
                && !(request.isConnect() && requestSide.hasUnread()) // what is for the tunnel is no request
                && owner.mayPersist();
    }

    boolean requestComplete() {
        return requestSide.isComplete();
    }

    boolean isOver() {
        return state == State.OVER;
    }

    /** Bytes wait for their turn, and the client may not be read meanwhile. */
    void throttled() {
        if (watch != null) {
            watch.begin();
        }
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

    /** How the request finds its way. */
    RequestRoute route() {
        return routing;
    }

    /** The answer is 407, which is meant for this proxy; {@code rest} has come behind its head. */
    void credentialsRefused(ForwardedResponse challenge, ByteBuffer rest) {
        boolean repeatable = requestSide.isRepeatable() && responseSide != null && !responseSide.isBlocked();
        routing.credentialsRefused(challenge, rest, repeatable);
    }

    // ------------------------------------------------------------------ ends

    /** The response is written, and the origin's connection can or cannot be used again. */
    void complete(boolean persistent, boolean originReusable) {
        boolean whole = requestSide.isSent();
        over();
        routing.giveBack(originReusable && whole);
        owner.completed(persistent && whole && !requestSide.clientHasEnded());
    }

    /** The tunnel is for a dialer to open: the next hop is no proxy at which the client logs in. */
    void dialInstead() {
        boolean unread = requestSide.hasUnread();
        cancel();
        owner.dialInstead(unread);
    }

    /** The origin has switched protocols, or the next proxy has opened the tunnel; the latter without an answer. */
    void upgrade(@Nullable ByteBuffer answer) {
        over();
        owner.upgraded(routing.detach(), answer);
    }

    /** The client's fault is in the body. */
    void badRequest(BadHeadException bad) {
        fail(Rejection.ofBody(bad));
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
        routing.close(requestSide.isSent());
        over();
        owner.failed(failure, read);
    }

    /**
     * The connection that the client's login was bound to ended between two requests, as the origin may have it. The client
     * is to find its own so, and not an answer: then it knows that it may ask again, and has to log in.
     */
    void loginLost(@Nullable IOException cause) {
        routing.close(requestSide.isSent());
        over();
        owner.cut(
                CloseReason.ORIGIN_RESET,
                new OriginException(OriginException.Reason.NO_RESPONSE, target(), cause),
                false);
    }

    /** The rest of the response will not come. */
    void cut(CloseReason reason, @Nullable Throwable cause) {
        if (state != State.EXCHANGING) {
            return;
        }
        routing.close(requestSide.isSent());
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
        over();
        owner.cut(cutReason, cutCause, responseSide != null && !responseSide.isDelimited());
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

    /** Ends it without a call to its owner; the client's connection is left as it is. */
    public void cancel() {
        if (state == State.OVER) {
            return;
        }
        routing.close(requestSide.isSent());
        over();
    }

    private void over() {
        state = State.OVER;
        if (throttles != null) {
            throttles.stop();
        }
        if (watch != null) {
            watch.stop();
        }
        requestSide.release();
        if (responseSide != null) {
            responseSide.release();
        }
    }

    // ------------------------------------------------------------------ time

    /** When something must have happened, for all that is known now. */
    public long deadlineNanos() {
        long authorizing = routing.timeoutNanos();
        if (authorizing > 0) {
            return lastActivityNanos + authorizing;
        }
        boolean answerDue = requestSide.isSent() && (responseSide == null || !responseSide.hasBegun());
        return lastActivityNanos + (answerDue ? routing.responseNanos() : forwarding.bodyNanos());
    }

    /** The deadline has passed. */
    public void timedOut() {
        switch (state) {
            case ROUTING -> {
                if (!routing.notAuthorizedInTime()) {
                    touch();
                }
            }
            case EXCHANGING -> {
                if (responseSide != null && responseSide.hasBegun()) {
                    cut(CloseReason.IDLE, null);
                } else if (requestSide.isComplete() || requestSide.isBlocked()) {
                    routing.notAnsweredInTime(requestSide.isComplete());
                } else {
                    fail(Rejection.BODY_TIMEOUT.exception());
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
