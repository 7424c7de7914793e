package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.HostPort;
import io.broxy.LocalRequestHandler;
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
 * The requests of a client, one after another, until its connection becomes a tunnel or ends. It reads heads, and passes each
 * request to another step:
 *
 * <pre>
 *                  guarded                                   CONNECT
 *   loop ─────┬──────────────> AccessStep ──┬── FilterStep ──┬─────────> ConnectStep
 *      ^      │  open to everyone           │                │ forwarded
 *      │      ├─────────────────────────────┘                └─────────> ForwardStep
 *      │      │  to the proxy itself
 *      │      └─────────────────────> LocalStep
 *      │
 *      └── behind a response of any of them, or a KeepAliveResponse; instead, a FinalResponse ends the connection
 * </pre>
 *
 * <p>A CONNECT to a proxy at which clients log in themselves goes to ForwardStep.
 *
 * <p>Threading: owned by its event loop.
 */
final class RequestLoop implements Step {
    private final ClientConnection connection;
    private final HandlerSettings settings;
    private final EventLoop loop;
    private final LoopConnection client;
    private final boolean connectOnly;

    private HeadParser<RequestHead> parser;
    /** A request has been answered, so the client owes no other one. */
    private boolean answered;

    private int requests;
    private long headNanos;

    /** Made for the first request that is forwarded. */
    private @Nullable ForwardStep forwarded;

    private RequestLoop(ClientConnection connection, boolean connectOnly) {
        this.connection = connection;
        this.settings = connection.context().settings();
        this.loop = connection.loop();
        this.client = connection.client();
        this.connectOnly = connectOnly;
        this.parser = HeadParser.request(settings.limits().requestHead());
    }

    /**
     * Reads the first request. It has often arrived together with the connection, so reading comes before waiting.
     *
     * @param connectOnly whether no other method than CONNECT is served
     */
    static void start(ClientConnection connection, boolean connectOnly) {
        connection.begin(new RequestLoop(connection, connectOnly));
    }

    @Override
    public void begin() {
        read();
        if (connection.isAt(this) && !answered) {
            connection.due(
                    connection.tunnel().startNanos() + settings.timeouts().headNanos());
            connection.waitFor(SelectionKey.OP_READ);
        }
    }

    ClientConnection connection() {
        return connection;
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
            if (count == 0) {
                return; // to feed nothing would take branches that HotSpot compiles as never taken
            }
            head = parser.feed(buffer.flip());
        } catch (BadHeadException e) {
            connection.refuse(Rejection.of(e), true);
            return;
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        if (head != null) {
            headComplete(head, buffer);
        } else if (!begun && parser.begun() && answered) {
            connection.due(loop.nowNanos() + settings.timeouts().headNanos());
        }
    }

    /** Between requests this is how a client says that it has no more of them. */
    private void ended() {
        if (isIdle()) {
            connection.close(CloseReason.FINISHED, null);
        } else {
            connection.clientGone(null);
        }
    }

    private void headComplete(RequestHead head, ByteBuffer rest) {
        requests++;
        headNanos = connection.context().engine().ticker().nanos();
        try {
            LocalRequestHandler local = settings.localRequests();
            ForwardedRequest request = RequestValidator.read(head, connectOnly, local != null);
            boolean own = RequestValidator.isOwn(request);
            connection
                    .record()
                    .requested(request.method(), own ? null : request.target().hostPort());
            RequestValidator.checkLoop(request, settings.forwarding().pseudonym());
            if (settings.forwarding().passProxyAuthentication()) {
                RequestValidator.checkCredentials(request);
            }
            RequestValidator.checkEarly(request, rest);
            boolean unread = rest.hasRemaining();
            client.unread(rest);
            if (own && local != null) {
                LocalStep.start(this, local, request, unread);
            } else if (connection.context().access().isOpen()) {
                String identity = connection.facts().certifiedIdentity();
                connection.recorder().identified(identity);
                serve(request, identity, unread);
            } else {
                AccessStep.start(this, request, unread);
            }
        } catch (RefusedException e) {
            connection.refuse(e, !head.method().equals("HEAD"));
        }
    }

    /**
     * Serves a request that is allowed.
     *
     * @param identity null if the client needs none
     * @param unread whether something that came behind the request's head waits at the client's connection
     */
    void serve(ForwardedRequest request, @Nullable String identity, boolean unread) {
        if (request.isConnect()) {
            FilterStep.startTunnel(connection, request, identity, dialer -> connect(request, identity, unread, dialer));
        } else if (request.maxForwards() == 0) {
            boolean persistent = mayPersist(request);
            Answer reply = Responses.lastHop(request, persistent);
            connection.recorder().exchanged(reply.status(), 0, 0, CloseReason.FINISHED, null, null);
            answer(reply, persistent);
        } else {
            FilterStep.startForwarding(this, forwarding(), request, identity, unread);
        }
    }

    private ForwardStep forwarding() {
        ForwardStep step = forwarded;
        if (step == null) {
            step = new ForwardStep(this);
            forwarded = step;
        }
        return step;
    }

    /** A client that logs in at the next proxy itself may have to ask for its tunnel again, over the same connections. */
    private void connect(ForwardedRequest request, @Nullable String identity, boolean unread, TargetDialer dialer) {
        HostPort target = request.target().hostPort();
        if (settings.forwarding().passProxyAuthentication() && dialer.takesLogins(connection, target)) {
            forwarding().begin(request, identity, unread, dialer);
        } else {
            connection.leave();
            ConnectStep.start(connection, target, identity, unread, dialer);
        }
    }

    /** When the head of the current request was complete. */
    long headNanos() {
        return headNanos;
    }

    // ------------------------------------------------------------------ from request to request

    /** Whether another request may come over the connection, for all that is known now. */
    boolean mayPersist() {
        return settings.limits().mayFollow(requests)
                && !connection.hasLostLogin()
                && !connection.metrics().isDraining()
                && !loop.isStopping();
    }

    /** Whether another one may come behind this one, of which nothing but the head has been read. */
    boolean mayPersist(ForwardedRequest request) {
        return request.persistent() && request.body().isEmpty() && mayPersist();
    }

    /** Answers, and goes on to the next request if it may. */
    void answer(Answer reply, boolean persistent) {
        if (persistent) {
            KeepAliveResponse.start(this, reply.bytes());
        } else {
            connection.last(reply, CloseReason.FINISHED, null);
        }
    }

    /** The client has its response, and may send another request. */
    void next() {
        answered = true;
        if (!mayPersist()) { // since the response's head a login was lost, or a drain has begun, which found no idle
            // client
            CloseReason reason = connection.hasLostLogin() ? CloseReason.FINISHED : CloseReason.DRAINED;
            connection.last(Answer.NONE, reason, null);
            return;
        }
        parser = HeadParser.request(settings.limits().requestHead());
        connection.step(this);
        connection.account().nextRequest();
        connection.due(loop.nowNanos() + settings.timeouts().keepAliveNanos());
        connection.waitFor(SelectionKey.OP_READ);
    }

    @Override
    public void timedOut() {
        if (isIdle()) {
            connection.close(CloseReason.IDLE, null);
        } else {
            connection.refuse(Rejection.HEAD_TIMEOUT.exception(), true);
        }
    }

    @Override
    public boolean isIdle() {
        return answered && !parser.begun();
    }
}
