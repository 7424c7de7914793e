package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.OriginException;
import io.broxy.RefusedException;
import io.broxy.core.internal.forward.Exchange;
import io.broxy.core.internal.forward.ExchangeOwner;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.relay.Relay;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.time.LazyTimer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A client on a loop, from request to request, until its connection becomes a tunnel or ends.
 *
 * <pre>
 *          complete           to forward              written, persistent
 *   HEAD ───────────> ADMITTING ───────────> EXCHANGING ───────────────> HEAD
 *                       │  │                     │ no response             ^
 *                       │  │ answered here       v                         │
 *                       │  └────────────────> ANSWERING ───────────────────┘
 *                       │
 *                       └──> OVER   (CONNECT: a {@link TunnelOpening} goes on; refused: a {@link LastAnswer};
 *                                    to the proxy itself: an {@link OwnExchange}, and HEAD again behind it)
 * </pre>
 *
 * <p>Threading: owned by its event loop, but for {@link #end} and {@link #drain}.
 */
final class ClientSession implements ChannelEvents, Stage, ExchangeOwner {
    private enum State {
        HEAD,
        ADMITTING,
        EXCHANGING,
        ANSWERING,
        OVER
    }

    private final Served served;
    private final ProxyHandling handler;
    private final TunnelHandle tunnel;
    private final EventLoop loop;
    private final LoopConnection client;
    private final boolean connectOnly;
    private final LazyTimer timer;

    private State state = State.HEAD;
    private HeadParser<RequestHead> parser = HeadParser.request(HeadLimits.DEFAULT);
    /** A request has been answered, so the client owes no other one. */
    private boolean answered;

    private long deadlineNanos;
    private int requests;
    private Gate.@Nullable Asking asking;
    private @Nullable String identity;
    private @Nullable Exchange exchange;
    private @Nullable ByteBuffer answer;

    /**
     * Creates a session.
     *
     * @param connectOnly whether no other method than CONNECT is served
     */
    ClientSession(Served served, boolean connectOnly) {
        this.served = served;
        this.handler = served.handler();
        this.tunnel = served.tunnel();
        this.loop = served.loop();
        this.client = served.client();
        this.connectOnly = connectOnly;
        this.timer = new LazyTimer(loop.timers(), this::checkTime);
    }

    // ------------------------------------------------------------------ the ways to begin

    /** Reads the first request. It has often arrived together with the connection, so reading comes before waiting. */
    void begin() {
        client.handler(this);
        tunnel.stage(this);
        if (state != State.HEAD) {
            return; // its end was asked for before
        }
        deadlineNanos = tunnel.startNanos() + handler.settings().headTimeoutNanos();
        try {
            read();
            if (state == State.HEAD) {
                timer.atLatest(deadlineNanos);
                waitFor(SelectionKey.OP_READ);
            }
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            served.logFailure(e);
            abandoned(e);
        }
    }

    /** Serves a CONNECT that the host server has read. */
    static void serve(Served served, ConnectRequest request) {
        RefusedException refusal = served.handler()
                .gate()
                .check(new Gate.Asked(served.clientAddress(), "CONNECT", request.target(), request.identity()));
        served.tunnel().visit().requested("CONNECT", request.target());
        served.tunnel().visit().identified(request.identity());
        if (refusal != null) {
            served.tunnel().describe(request.target(), request.identity());
            turnAway(served, refusal);
            return;
        }
        served.client().unread(request.earlyBytes());
        TunnelOpening.start(
                served,
                request.target(),
                request.identity(),
                request.earlyBytes().hasRemaining());
    }

    /** Only tells the client why it is not served. */
    static void turnAway(Served served, RefusedException refusal) {
        LastAnswer.start(served, Replies.refused(refusal, true), CloseReason.REFUSED, refusal);
    }

    private void waitFor(int ops) {
        try {
            client.interest(ops);
        } catch (IOException e) {
            clientGone(e);
        }
    }

    // ------------------------------------------------------------------ HEAD

    @Override
    public void ready(int readyOps) {
        switch (state) {
            case HEAD -> read();
            case ANSWERING -> writeAnswer();
            case ADMITTING, EXCHANGING, OVER -> {} // somebody else is told, or nobody
        }
    }

    private void read() {
        ByteBuffer buffer = loop.buffers().shared().limit(HeadLimits.DEFAULT.headBytes());
        boolean begun = parser.begun();
        RequestHead head;
        try {
            int count = client.read(buffer);
            if (count < 0) {
                ended();
                return;
            }
            head = parser.feed(buffer.flip());
        } catch (BadHeadException e) {
            refuse(RequestGate.refusal(e), true);
            return;
        } catch (IOException e) {
            clientGone(e);
            return;
        }
        if (head != null) {
            headComplete(head, buffer);
        } else if (!begun && parser.begun() && answered) {
            deadlineNanos = loop.nowNanos() + handler.settings().headTimeoutNanos();
            timer.atLatest(deadlineNanos);
        }
    }

    /** Between requests this is how a client says that it has no more of them. */
    private void ended() {
        if (answered && !parser.begun()) {
            client.close();
            over(CloseReason.FINISHED, null);
        } else {
            clientGone(null);
        }
    }

    private void headComplete(RequestHead head, ByteBuffer rest) {
        requests++;
        try {
            ForwardedRequest request =
                    RequestGate.read(head, connectOnly, handler.settings().ownRequests() != null);
            boolean own = RequestGate.isOwn(request);
            if (!own) {
                served.visit().requested(request.method(), request.target().hostPort());
            }
            RequestGate.checkLoop(request, handler.settings().forwarding().pseudonym());
            RequestGate.checkEarly(request, rest);
            boolean unread = rest.hasRemaining();
            client.unread(rest);
            OwnExchange.Answering answering = handler.settings().ownRequests();
            if (own && answering != null) {
                answerItself(answering, request, unread);
            } else {
                admit(request, unread);
            }
        } catch (RefusedException e) {
            refuse(e, !head.method().equals("HEAD"));
        }
    }

    /** Lets the embedder answer, and goes on behind that. */
    private void answerItself(OwnExchange.Answering own, ForwardedRequest request, boolean unread) {
        if (!handler.accounting().tryBeginExchange()) {
            refuse(ProxyHandling.draining(), !request.method().equals("HEAD"));
            return;
        }
        leave();
        OwnExchange.start(served, own, request, unread, this::mayPersist, () -> {
            client.handler(this);
            nextRequest();
            tunnel.stage(this); // last, for its end may have been asked for
        });
    }

    // ------------------------------------------------------------------ ADMITTING

    private void admit(ForwardedRequest request, boolean unread) {
        state = State.ADMITTING;
        if (handler.gate().isOpen()) {
            serve(request, null, unread);
            return;
        }
        HostPort target = request.target().hostPort();
        Gate.Asked asked = new Gate.Asked(served.clientAddress(), request.method(), target, null);
        asking = handler.gate()
                .ask(loop, asked, request.head().fields().first("Proxy-Authorization"), new Gate.Outcome() {
                    @Override
                    public void admitted(@Nullable String identity) {
                        asking = null;
                        if (state == State.ADMITTING) {
                            tunnel.visit().identified(identity);
                            serve(request, identity, unread);
                        }
                    }

                    @Override
                    public void refused(RefusedException refusal) {
                        asking = null;
                        if (state == State.ADMITTING) {
                            refuse(request, refusal);
                        }
                    }
                });
        if (state == State.ADMITTING) {
            waitFor(0);
        }
    }

    /** Without credentials the client may try again; else it has to come again. */
    private void refuse(ForwardedRequest request, RefusedException refusal) {
        boolean withBody = !request.method().equals("HEAD");
        if (refusal.reason() == RefusedException.Reason.AUTHENTICATION_REQUIRED) {
            boolean persistent = mayPersist(request);
            ByteBuffer reply = Replies.unauthenticated(refusal, handler.gate().challenges(), withBody, persistent);
            handler.accounting().refused(refusal);
            if (request.head().fields().first("Proxy-Authorization") != null) {
                tunnel.visit().credentialsFailed();
            }
            tunnel.visit().refused(refusal);
            answer(reply, persistent);
        } else {
            refuse(refusal, withBody);
        }
    }

    private void serve(ForwardedRequest request, @Nullable String identity, boolean unread) {
        if (request.head().isConnect()) {
            leave();
            TunnelOpening.start(served, request.target().hostPort(), identity, unread);
        } else {
            forward(request, identity, unread);
        }
    }

    // ------------------------------------------------------------------ EXCHANGING

    private void forward(ForwardedRequest request, @Nullable String who, boolean unread) {
        if (request.maxForwards() == 0) {
            boolean persistent = mayPersist(request);
            ByteBuffer reply = Replies.lastHop(request, persistent);
            tunnel.visit().exchanged(Replies.status(reply), 0, 0, CloseReason.FINISHED, null, null);
            answer(reply, persistent);
            return;
        }
        if (!handler.accounting().tryBeginExchange()) {
            refuse(ProxyHandling.draining(), !request.method().equals("HEAD"));
            return;
        }
        state = State.EXCHANGING;
        identity = who;
        Exchange next = new Exchange(handler.settings().forwarding(), request, client, unread, this);
        exchange = next;
        next.start(handler.dialRequest(next.target()));
    }

    @Override
    public void due(long thenNanos) {
        timer.atLatest(thenNanos);
    }

    private boolean mayPersist(ForwardedRequest request) {
        return request.persistent() && request.body().isEmpty() && mayPersist();
    }

    @Override
    public boolean mayPersist() {
        return handler.settings().limits().mayFollow(requests)
                && !handler.accounting().isDraining()
                && !loop.isStopping();
    }

    @Override
    public @Nullable Throttles throttles() {
        return tunnel.throttles();
    }

    @Override
    public boolean mayHaveThreads() {
        return handler.mayHaveThreads(tunnel);
    }

    @Override
    public void completed(boolean persistent) {
        endExchange(CloseReason.FINISHED, null);
        if (persistent) {
            nextRequest();
        } else {
            leave();
            LastAnswer.start(served, Replies.NOTHING, CloseReason.FINISHED, null);
        }
    }

    @Override
    public void failed(IOException failure, boolean requestRead) {
        Exchange failed = takeExchange();
        boolean withBody = !failed.request().method().equals("HEAD");
        boolean persistent = requestRead && failed.request().persistent() && mayPersist();
        ByteBuffer reply;
        CloseReason reason = CloseReason.FAILED;
        if (failure instanceof DialException dial) {
            tunnel.visit().dialFailed(dial);
            reply = Replies.failed(dial, withBody, persistent);
            reason = CloseReason.DIAL_FAILED;
        } else if (failure instanceof OriginException origin) {
            reply = Replies.noResponse(origin, withBody, persistent);
            reason = CloseReason.ORIGIN_RESET;
        } else if (failure instanceof RefusedException refusal) {
            endExchange(failed, refusal.status(), CloseReason.REFUSED, refusal);
            refuse(refusal, withBody);
            return;
        } else {
            reply = Replies.internalError();
            persistent = false;
        }
        endExchange(failed, Replies.status(reply), reason, failure);
        if (persistent) {
            if (failure instanceof DialException dial) {
                handler.accounting().dialFailed(dial); // else it is counted with the connection's end
            }
            answer(reply, true);
        } else {
            leave();
            LastAnswer.start(served, reply, reason, failure);
        }
    }

    @Override
    public void cut(CloseReason reason, @Nullable Throwable cause, boolean hidden) {
        endExchange(reason, cause);
        if (hidden) {
            client.abort();
            over(reason, cause);
        } else {
            leave();
            LastAnswer.start(served, Replies.NOTHING, reason, cause);
        }
    }

    @Override
    public void upgraded(LoopConnection origin, ByteBuffer toClient, int answerBytes) {
        Exchange upgraded = takeExchange();
        tunnel.describe(upgraded.target(), identity);
        leave();
        handler.accounting().exchangeBecameTunnel(upgraded.bytesToOrigin(), upgraded.bytesToClient());
        handler.established(tunnel, origin.peer());
        Relay.start(client, origin, handler.settings().idleness(), tunnel, null, toClient, answerBytes);
    }

    private void endExchange(CloseReason reason, @Nullable Throwable cause) {
        Exchange ended = takeExchange();
        endExchange(ended, ended.status(), reason, cause);
    }

    private void endExchange(Exchange ended, int status, CloseReason reason, @Nullable Throwable cause) {
        long toOrigin = ended.bytesToOrigin();
        long toClient = ended.bytesToClient();
        tunnel.visit().exchanged(status, toOrigin, toClient, reason, cause, ended.peer());
        handler.accounting().endExchange(toOrigin, toClient);
    }

    private Exchange takeExchange() {
        Exchange ended = exchange;
        if (ended == null) {
            throw new IllegalStateException("there is no exchange");
        }
        exchange = null;
        client.handler(this);
        tunnel.exchangeEnded();
        return ended;
    }

    private void nextRequest() {
        answered = true;
        if (!mayPersist()) { // a drain has begun behind the answer's head; it lets go only those that it finds idle
            leave();
            LastAnswer.start(served, Replies.NOTHING, CloseReason.DRAINED, null);
            return;
        }
        state = State.HEAD;
        tunnel.visit().next();
        parser = HeadParser.request(HeadLimits.DEFAULT);
        deadlineNanos = loop.nowNanos() + handler.settings().keepAliveNanos();
        timer.atLatest(deadlineNanos);
        waitFor(SelectionKey.OP_READ);
    }

    // ------------------------------------------------------------------ ANSWERING

    /** Answers by itself, and goes on to the next request if it may. */
    private void answer(ByteBuffer reply, boolean persistent) {
        if (!persistent) {
            leave();
            LastAnswer.start(served, reply, CloseReason.FINISHED, null);
            return;
        }
        state = State.ANSWERING;
        answer = reply;
        deadlineNanos =
                loop.nowNanos() + handler.settings().forwarding().times().bodyNanos();
        writeAnswer();
    }

    private void writeAnswer() {
        ByteBuffer rest = answer;
        if (rest == null) {
            return;
        }
        try {
            client.write(rest);
        } catch (IOException e) {
            clientGone(e);
            return;
        }
        if (rest.hasRemaining()) {
            timer.atLatest(deadlineNanos);
            waitFor(SelectionKey.OP_WRITE);
        } else {
            answer = null;
            nextRequest();
        }
    }

    private void refuse(RefusedException refusal, boolean withBody) {
        leave();
        LastAnswer.start(served, Replies.refused(refusal, withBody), CloseReason.REFUSED, refusal);
    }

    // ------------------------------------------------------------------ time

    private void checkTime() {
        if (loop.isStopping() || state == State.OVER) {
            return;
        }
        if (state == State.ADMITTING) {
            return; // that has a time of its own
        }
        long deadline = exchange == null ? deadlineNanos : exchange.deadlineNanos();
        if (deadline - loop.nowNanos() > 0) {
            timer.atLatest(deadline);
            return;
        }
        timedOut();
        if (state == State.EXCHANGING && exchange != null) {
            timer.atLatest(exchange.deadlineNanos());
        }
    }

    private void timedOut() {
        if (exchange != null) {
            exchange.timedOut();
        } else if (state == State.HEAD && (parser.begun() || !answered)) {
            refuse(ProxyHandling.headTimeout(), true);
        } else if (state == State.HEAD) {
            client.close();
            over(CloseReason.IDLE, null);
        } else {
            client.abort();
            over(CloseReason.IDLE, null);
        }
    }

    // ------------------------------------------------------------------ ends

    /** Another stage goes on. */
    private void leave() {
        state = State.OVER;
        timer.cancel();
    }

    @Override
    public void clientGone(@Nullable IOException cause) {
        if (exchange != null) {
            endExchange(CloseReason.CLIENT_GONE, cause);
        }
        client.close();
        over(CloseReason.CLIENT_GONE, cause);
    }

    private void over(CloseReason reason, @Nullable Throwable cause) {
        if (state != State.OVER) {
            leave();
            served.over(reason, cause);
        }
    }

    @Override
    public void end(CloseReason reason) {
        served.onLoop(() -> endInLoop(reason, null));
    }

    private void endInLoop(CloseReason reason, @Nullable Throwable cause) {
        if (state == State.OVER) {
            return;
        }
        if (asking != null) {
            asking.cancel();
        }
        if (exchange != null) {
            exchange.cancel();
            endExchange(reason, cause);
        }
        if (reason == CloseReason.EXPIRED && isBetweenRequests()) {
            client.close();
        } else {
            client.abort();
        }
        over(reason, cause);
    }

    private boolean isBetweenRequests() {
        return state == State.HEAD && answered && !parser.begun();
    }

    /** A client that is between two requests is let go; it would wait in vain. */
    @Override
    public void drain() {
        served.onLoop(() -> {
            if (isBetweenRequests()) {
                client.close();
                over(CloseReason.DRAINED, null);
            }
        });
    }

    @Override
    public void abandoned(Throwable cause) {
        CloseReason reason = served.reasonOfAbandon();
        endInLoop(reason, reason == CloseReason.FAILED ? cause : null);
    }
}
