package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.Rejection;
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
 *   session ──┬──────────────> AccessStep ──┬──────────> ConnectStep
 *      ^      │                             │
 *      │      │  open to everyone           v  forwarded
 *      │      ├─────────────────────> ForwardStep
 *      │      │  to the proxy itself
 *      │      └─────────────────────> LocalStep
 *      │
 *      └── behind an answer of any of them, or a KeepAliveResponse; instead, a FinalResponse ends the connection
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ClientSession implements Conversation.Step {
    private final ClientConnection served;
    private final DefaultProxyHandler handler;
    private final EventLoop loop;
    private final LoopConnection client;
    private final boolean connectOnly;
    private final Conversation conversation;

    private HeadParser<RequestHead> parser;
    /** A request has been answered, so the client owes no other one. */
    private boolean answered;

    /** Made for the first request that is forwarded. */
    private @Nullable ForwardStep forwarded;

    /**
     * Creates a session.
     *
     * @param connectOnly whether no other method than CONNECT is served
     */
    ClientSession(ClientConnection served, boolean connectOnly) {
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
    static void turnAway(ClientConnection served, RefusedException refusal) {
        FinalResponse.start(served, Responses.refused(refusal, true), CloseReason.REFUSED, refusal);
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
            conversation.refuse(Rejection.of(e), true);
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
                    RequestValidator.read(head, connectOnly, handler.settings().localRequests() != null);
            boolean own = RequestValidator.isOwn(request);
            served.visit()
                    .requested(request.method(), own ? null : request.target().hostPort());
            RequestValidator.checkLoop(request, handler.settings().forwarding().pseudonym());
            RequestValidator.checkEarly(request, rest);
            boolean unread = rest.hasRemaining();
            client.unread(rest);
            LocalStep.Answering answering = handler.settings().localRequests();
            if (own && answering != null) {
                LocalStep.start(conversation, answering, request, unread);
            } else if (handler.gate().isOpen()) {
                serve(request, null, unread);
            } else {
                AccessStep.start(conversation, request, unread, this::serve);
            }
        } catch (RefusedException e) {
            conversation.refuse(e, !head.method().equals("HEAD"));
        }
    }

    private void serve(ForwardedRequest request, @Nullable String identity, boolean unread) {
        if (request.head().isConnect()) {
            conversation.leave();
            ConnectStep.start(served, request.target().hostPort(), identity, unread);
        } else if (request.maxForwards() == 0) {
            boolean persistent = conversation.mayPersist(request);
            ByteBuffer reply = Responses.lastHop(request, persistent);
            served.tunnel().visit().exchanged(Responses.status(reply), 0, 0, CloseReason.FINISHED, null, null);
            conversation.answer(reply, persistent);
        } else {
            if (forwarded == null) {
                forwarded = new ForwardStep(conversation);
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
            conversation.last(Responses.NOTHING, reason, null);
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
            conversation.refuse(Rejection.HEAD_TIMEOUT.exception(), true);
        }
    }

    @Override
    public boolean isIdle() {
        return answered && !parser.begun();
    }
}
