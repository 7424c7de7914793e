package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A client on a loop, from request to request, until its connection becomes a tunnel or ends. It reads heads, and passes
 * each request to another step of the {@link Conversation}:
 *
 * <pre>
 *                  guarded                     CONNECT
 *   session ──┬──────────────> Admittance ──┬──────────> TunnelOpening
 *      ^      │                             │
 *      │      │  open to everyone           v  forwarded
 *      │      ├─────────────────────> ForwardedExchange
 *      │      │  to the proxy itself
 *      │      └─────────────────────> OwnExchange
 *      │
 *      └── behind an answer of any of them, or a PersistentAnswer; instead, a LastAnswer ends the connection
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ClientSession implements Conversation.Step {
    private final Served served;
    private final ProxyHandling handler;
    private final EventLoop loop;
    private final LoopConnection client;
    private final boolean connectOnly;
    private final Conversation conversation;

    private HeadParser<RequestHead> parser;
    /** A request has been answered, so the client owes no other one. */
    private boolean answered;

    /** Made for the first request that is forwarded. */
    private @Nullable ForwardedExchange forwarded;

    /**
     * Creates a session.
     *
     * @param connectOnly whether no other method than CONNECT is served
     */
    ClientSession(Served served, boolean connectOnly) {
        this.served = served;
        this.handler = served.handler();
        this.loop = served.loop();
        this.client = served.client();
        this.connectOnly = connectOnly;
        this.parser = HeadParser.request(handler.settings().requestLimits());
        this.conversation = new Conversation(served, this::nextRequest);
    }

    // ------------------------------------------------------------------ the ways to begin

    /** Reads the first request. It has often arrived together with the connection, so reading comes before waiting. */
    void begin() {
        conversation.begin(this);
        if (!conversation.isAt(this)) {
            return; // its end was asked for before
        }
        try {
            read();
            if (conversation.isAt(this) && !answered) {
                conversation.due(
                        served.tunnel().startNanos() + handler.settings().headTimeoutNanos());
                conversation.waitFor(SelectionKey.OP_READ);
            }
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            served.logFailure(e);
            conversation.abandoned(e);
        }
    }

    /** Only tells the client why it is not served. */
    static void turnAway(Served served, RefusedException refusal) {
        LastAnswer.start(served, Replies.refused(refusal, true), CloseReason.REFUSED, refusal);
    }

    // ------------------------------------------------------------------ heads

    @Override
    public void ready(int readyOps) {
        read();
    }

    private void read() {
        ByteBuffer buffer = loop.buffers().shared().limit(LoopBuffers.HEAD_READ);
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
            conversation.refuse(RequestGate.refusal(e), true);
            return;
        } catch (IOException e) {
            conversation.clientGone(e);
            return;
        }
        if (head != null) {
            headComplete(head, buffer);
        } else if (!begun && parser.begun() && answered) {
            conversation.due(loop.nowNanos() + handler.settings().headTimeoutNanos());
        }
    }

    /** Between requests this is how a client says that it has no more of them. */
    private void ended() {
        if (isIdle()) {
            conversation.close(CloseReason.FINISHED, null);
        } else {
            conversation.clientGone(null);
        }
    }

    private void headComplete(RequestHead head, ByteBuffer rest) {
        conversation.requested();
        try {
            ForwardedRequest request =
                    RequestGate.read(head, connectOnly, handler.settings().ownRequests() != null);
            boolean own = RequestGate.isOwn(request);
            served.visit()
                    .requested(request.method(), own ? null : request.target().hostPort());
            RequestGate.checkLoop(request, handler.settings().forwarding().pseudonym());
            RequestGate.checkEarly(request, rest);
            boolean unread = rest.hasRemaining();
            client.unread(rest);
            OwnExchange.Answering answering = handler.settings().ownRequests();
            if (own && answering != null) {
                OwnExchange.start(conversation, answering, request, unread);
            } else if (handler.gate().isOpen()) {
                serve(request, null, unread);
            } else {
                Admittance.start(conversation, request, unread, this::serve);
            }
        } catch (RefusedException e) {
            conversation.refuse(e, !head.method().equals("HEAD"));
        }
    }

    private void serve(ForwardedRequest request, @Nullable String identity, boolean unread) {
        if (request.head().isConnect()) {
            conversation.leave();
            TunnelOpening.start(served, request.target().hostPort(), identity, unread);
        } else if (request.maxForwards() == 0) {
            boolean persistent = conversation.mayPersist(request);
            ByteBuffer reply = Replies.lastHop(request, persistent);
            served.tunnel().visit().exchanged(Replies.status(reply), 0, 0, CloseReason.FINISHED, null, null);
            conversation.answer(reply, persistent);
        } else {
            if (forwarded == null) {
                forwarded = new ForwardedExchange(conversation);
            }
            forwarded.begin(request, identity, unread);
        }
    }

    private void nextRequest() {
        answered = true;
        if (!conversation
                .mayPersist()) { // behind the answer's head a login has gone, or a drain has begun, which lets go
            // only those that it finds idle
            CloseReason reason = conversation.hasLostLogin() ? CloseReason.FINISHED : CloseReason.DRAINED;
            conversation.last(Replies.NOTHING, reason, null);
            return;
        }
        parser = HeadParser.request(handler.settings().requestLimits());
        conversation.step(this);
        served.tunnel().visit().next();
        conversation.due(loop.nowNanos() + handler.settings().keepAliveNanos());
        conversation.waitFor(SelectionKey.OP_READ);
    }

    // ------------------------------------------------------------------ told by the conversation

    @Override
    public void timedOut() {
        if (isIdle()) {
            conversation.close(CloseReason.IDLE, null);
        } else {
            conversation.refuse(Refusals.headTimeout(), true);
        }
    }

    @Override
    public boolean isIdle() {
        return answered && !parser.begun();
    }
}
