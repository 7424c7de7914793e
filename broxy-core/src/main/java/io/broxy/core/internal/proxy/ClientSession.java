package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.HeadLimits;
import io.broxy.core.internal.http.HeadParser;
import io.broxy.core.internal.http.RequestHead;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LingeringClose;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.relay.Relay;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A client on a loop, from its first byte until its tunnel stands or it has been told why not.
 *
 * <pre>
 *            head complete          connected, answered
 *   HEAD ───────────────────> DIALING ───────────────────> OVER (a {@link Relay} goes on)
 *    │  refused, too late        │  failed                   ^
 *    └────────────────────> REFUSING ──────────────────────┘   (after a lingering close)
 * </pre>
 *
 * <p>While it dials, the client is read once at most: enough to notice that it was reset, which ends the dial. Whatever
 * more it sends waits in the kernel, and so costs nothing here.
 *
 * <p>Threading: owned by its event loop, but for {@link #end}.
 */
final class ClientSession implements ChannelEvents, Stage, LoopDialer.UserOutcome {
    private enum State {
        HEAD,
        DIALING,
        REFUSING,
        OVER
    }

    private final ProxyHandling handler;
    private final TunnelHandle tunnel;
    private final EventLoop loop;
    private final LoopConnection client;

    private State state = State.HEAD;
    private @Nullable HeadParser<RequestHead> parser;
    private TimerQueue.@Nullable Timer headTimer;
    private @Nullable ByteBuffer early;
    private LoopDialer.@Nullable Dialing dialing;
    private @Nullable LingeringClose closing;

    ClientSession(ProxyHandling handler, TunnelHandle tunnel, LoopConnection client) {
        this.handler = handler;
        this.tunnel = tunnel;
        this.loop = client.loop();
        this.client = client;
    }

    // ------------------------------------------------------------------ the ways to begin

    /** Reads the request's head. It has often arrived together with the connection, so reading comes before waiting. */
    void readHead() {
        client.handler(this);
        tunnel.stage(this);
        if (state != State.HEAD) {
            return; // its end was asked for before
        }
        parser = HeadParser.request(HeadLimits.DEFAULT);
        headTimer =
                loop.timers().schedule(tunnel.startNanos() + handler.settings().headTimeoutNanos(), this::headTimedOut);
        read();
        if (state == State.HEAD) {
            try {
                client.interest(SelectionKey.OP_READ);
            } catch (IOException e) {
                clientGone(e);
            }
        }
    }

    /** Serves a request that the host server has read. */
    void serve(ConnectRequest request) {
        client.handler(this);
        tunnel.stage(this);
        if (state == State.HEAD) {
            hold(request.earlyBytes());
            dial(request.target(), request.identity());
        }
    }

    /** Only tells the client why it is not served. */
    void turnAway(RefusedException refusal) {
        client.handler(this);
        tunnel.stage(this);
        if (state == State.HEAD) {
            refuse(refusal, true);
        }
    }

    // ------------------------------------------------------------------ HEAD

    @Override
    public void ready(int readyOps) {
        switch (state) {
            case HEAD -> read();
            case DIALING -> readEarly();
            case REFUSING, OVER -> {} // somebody else is told
        }
    }

    private void read() {
        HeadParser<RequestHead> reading = parser;
        if (reading == null) {
            throw new IllegalStateException("no head is being read");
        }
        ByteBuffer buffer = loop.buffers().shared().limit(HeadLimits.DEFAULT.headBytes());
        RequestHead head;
        try {
            int count = client.read(buffer);
            if (count < 0) {
                clientGone(null);
                return;
            }
            head = reading.feed(buffer.flip());
        } catch (BadHeadException e) {
            refuse(RequestGate.refusal(e), true);
            return;
        } catch (IOException e) {
            clientGone(e);
            return;
        }
        if (head != null) {
            parser = null;
            headComplete(head, buffer);
        }
    }

    private void headComplete(RequestHead head, ByteBuffer rest) {
        HostPort target;
        try {
            target = RequestGate.connectTarget(head);
        } catch (RefusedException e) {
            refuse(e, !head.method().equals("HEAD"));
            return;
        }
        hold(rest);
        dial(target, null);
    }

    private void hold(ByteBuffer bytes) {
        if (bytes.hasRemaining()) {
            early = loop.buffers().hold(bytes);
        }
    }

    private void headTimedOut() {
        if (state == State.HEAD) {
            refuse(ProxyHandling.headTimeout(), true);
        }
    }

    private void clientGone(@Nullable IOException cause) {
        client.close();
        over(CloseReason.CLIENT_GONE, cause);
    }

    // ------------------------------------------------------------------ DIALING

    private void dial(HostPort target, @Nullable String identity) {
        leaveHead();
        tunnel.describe(target, identity);
        if (!handler.accounting().tryBeginTunnel()) {
            refuse(ProxyHandling.draining(), true);
            return;
        }
        tunnel.phase(TunnelHandle.Phase.ADMITTED);
        state = State.DIALING;
        try {
            client.interest(0);
        } catch (IOException e) {
            clientGone(e);
            return;
        }
        LoopDialer.Dialing underWay = handler.beginDial(loop, target, this);
        if (state == State.DIALING) {
            dialing = underWay;
            watchClient();
        }
    }

    /** What has come with the head is not held twice. */
    private void watchClient() {
        if (early == null) {
            try {
                client.interest(SelectionKey.OP_READ);
            } catch (IOException e) {
                goneWhileDialing(e);
            }
        }
    }

    private void readEarly() {
        ByteBuffer buffer = loop.buffers().shared().limit(HeadLimits.DEFAULT.headBytes());
        try {
            if (client.read(buffer) != 0) {
                client.interest(0); // the end of its stream may be no more than a half-close; the relay finds it again
            }
        } catch (IOException e) {
            goneWhileDialing(e);
            return;
        }
        hold(buffer.flip());
    }

    private void goneWhileDialing(IOException cause) {
        if (dialing != null) {
            dialing.cancel();
        }
        clientGone(cause);
    }

    private void leaveHead() {
        if (headTimer != null) {
            loop.timers().cancel(headTimer);
            headTimer = null;
        }
    }

    @Override
    public void connected(LoopConnection origin) {
        if (origin.takesThreads() && !handler.mayHaveThreads(tunnel)) {
            origin.abort();
            refuse(ProxyHandling.full(), true);
            return;
        }
        try {
            client.interest(0); // what is wanted from now on is for the relay
        } catch (IOException e) {
            origin.abort();
            clientGone(e);
            return;
        }
        state = State.OVER;
        handler.established(tunnel);
        ByteBuffer answer = loop.buffers().hold(Replies.established());
        ByteBuffer first = early;
        early = null; // the relay releases it
        Relay.start(client, origin, handler.settings().idleness(), tunnel, first, answer, answer.remaining());
    }

    @Override
    public void failed(DialException failure) {
        answer(Replies.failed(failure), CloseReason.DIAL_FAILED, failure);
    }

    /** The dialer broke its contract. */
    @Override
    public void dialerFailed(Throwable failure) {
        answer(Replies.internalError(), CloseReason.FAILED, failure);
    }

    // ------------------------------------------------------------------ REFUSING

    private void refuse(RefusedException refusal, boolean withBody) {
        answer(Replies.refused(refusal, withBody), CloseReason.REFUSED, refusal);
    }

    private void answer(ByteBuffer reply, CloseReason reason, Throwable cause) {
        leaveHead();
        releaseEarly();
        dialing = null;
        if (loop.isStopping()) { // which is why the dial failed, and leaves no time for answers
            client.abort();
            over(CloseReason.CLOSED, null);
            return;
        }
        handler.givenUp(tunnel);
        state = State.REFUSING;
        closing = LingeringClose.start(client, reply, () -> over(reason, cause));
    }

    // ------------------------------------------------------------------ ends

    @Override
    public void end(CloseReason reason) {
        if (loop.inLoop()) {
            endInLoop(reason, null);
            return;
        }
        try {
            loop.execute(() -> endInLoop(reason, null));
        } catch (RejectedExecutionException e) {
            // The loop has stopped, and has abandoned this session by that.
        }
    }

    private void endInLoop(CloseReason reason, @Nullable Throwable cause) {
        switch (state) {
            case HEAD, DIALING -> {
                if (dialing != null) {
                    dialing.cancel();
                }
                client.abort();
                over(reason, cause);
            }
            case REFUSING -> {
                if (closing != null && reason != CloseReason.DRAINED) { // its answer may still be read
                    closing.abort();
                }
            }
            case OVER -> {}
        }
    }

    private void over(CloseReason reason, @Nullable Throwable cause) {
        if (state != State.OVER) {
            state = State.OVER;
            leaveHead();
            releaseEarly();
            client.whenClosed(() -> tunnel.ended(reason, cause, 0, 0));
        }
    }

    private void releaseEarly() {
        if (early != null) {
            loop.buffers().release(early);
        }
        early = null;
    }

    @Override
    public void abandoned(Throwable cause) {
        if (loop.isStopping()) {
            endInLoop(CloseReason.CLOSED, null);
        } else {
            endInLoop(CloseReason.FAILED, cause);
        }
    }
}
