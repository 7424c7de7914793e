package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.core.internal.forward.PinnedConnections;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.time.LazyTimer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What one client's requests share, from the first until the connection becomes a tunnel, is told its last, or is closed.
 * One step after another works on it; whatever is told to the connection is told to the step at work, and the ends that are
 * the same for all steps are here.
 *
 * <p>Threading: owned by its event loop, but for {@link #end} and {@link #drain}.
 */
final class Conversation implements ChannelEvents, Stage {

    /** Who works on the conversation at the moment. Threading: owned by its event loop. */
    interface Step {
        /** The client's connection is ready; only if the step has not given it another handler. */
        default void ready(int readyOps) {}

        /** The time has come that was {@linkplain Conversation#due asked for} last. */
        void timedOut();

        /** The client's connection is being closed: whatever else the step holds is to be given back. */
        default void stopped(CloseReason reason, @Nullable Throwable cause) {}

        /** Whether the client only might send another request, so that nothing is lost with its connection. */
        default boolean isIdle() {
            return false;
        }
    }

    private final ClientConnection served;
    private final DefaultProxyHandler handler;
    private final EventLoop loop;
    private final LoopConnection client;
    private final Runnable next;
    private final LazyTimer timer;

    /** Null when it is over: something else goes on, or nothing. */
    private @Nullable Step step;

    /** Made for the first request that is forwarded. */
    private @Nullable PinnedConnections pinned;

    private long deadlineNanos;
    private int requests;

    /**
     * Creates a conversation.
     *
     * @param next reads another request, behind an answer
     */
    Conversation(ClientConnection served, Runnable next) {
        this.served = served;
        this.handler = served.handler();
        this.loop = served.loop();
        this.client = served.client();
        this.next = next;
        this.timer = new LazyTimer(loop.timers(), this::checkTime);
    }

    ClientConnection served() {
        return served;
    }

    /** The upstream connections that serve this client only; they are closed when no request can follow. */
    PinnedConnections pinned() {
        PinnedConnections all = pinned;
        if (all == null) {
            all = new PinnedConnections(loop, handler.settings().keepAliveNanos(), this::loginLost);
            pinned = all;
        }
        return all;
    }

    /** The client's login has gone with a connection to an origin: a client that waits for nothing learns it by its own end. */
    private void loginLost() {
        if (isIdle()) {
            last(Responses.NOTHING, CloseReason.FINISHED, null);
        }
    }

    /** Whether no other request may come because a login has gone. */
    boolean hasLostLogin() {
        return pinned != null && pinned.hasLost();
    }

    // ------------------------------------------------------------------ from step to step

    /** Begins; it may be over behind this, if its end was asked for before. */
    void begin(Step first) {
        step = first;
        client.handler(this);
        served.tunnel().stage(this);
    }

    /** Another step goes on, which is told what happens to the client's connection. */
    void step(Step following) {
        step = following;
        client.handler(this);
    }

    /** Whether this step is at work. */
    boolean isAt(Step asked) {
        return step == asked;
    }

    /** Waits until the connection is ready for the operations. */
    void waitFor(int ops) {
        try {
            client.interest(ops);
        } catch (IOException e) {
            clientGone(e);
        }
    }

    /** Has the step told when this time has come, unless another one is asked for before. */
    void due(long thenNanos) {
        deadlineNanos = thenNanos;
        timer.atLatest(thenNanos);
    }

    private void checkTime() {
        Step timed = step;
        if (timed == null || loop.isStopping()) {
            return;
        }
        if (deadlineNanos - loop.nowNanos() > 0) {
            timer.atLatest(deadlineNanos);
        } else {
            timed.timedOut();
        }
    }

    // ------------------------------------------------------------------ requests

    /** Another request has come. */
    void requested() {
        requests++;
    }

    /** Whether another request may come over the connection, for all that is known now. */
    boolean mayPersist() {
        return handler.settings().limits().mayFollow(requests)
                && !hasLostLogin()
                && !handler.accounting().isDraining()
                && !loop.isStopping();
    }

    /** Whether another one may come behind this one, of which nothing but the head has been read. */
    boolean mayPersist(ForwardedRequest request) {
        return request.persistent() && request.body().isEmpty() && mayPersist();
    }

    /** The client has its answer, and may send another request. */
    void next() {
        next.run();
    }

    // ------------------------------------------------------------------ answers of the proxy's own

    /** Answers, and goes on to the next request if it may. */
    void answer(ByteBuffer reply, boolean persistent) {
        if (persistent) {
            KeepAliveResponse.start(this, reply);
        } else {
            last(reply, CloseReason.FINISHED, null);
        }
    }

    /** Refuses a request; the last on the connection. */
    void refuse(RefusedException refusal, boolean withBody) {
        last(Responses.refused(refusal, withBody), CloseReason.REFUSED, refusal);
    }

    /** Tells the client the last, which may be nothing, and closes. */
    void last(ByteBuffer reply, CloseReason reason, @Nullable Throwable cause) {
        leave();
        FinalResponse.start(served, reply, reason, cause);
    }

    // ------------------------------------------------------------------ ends

    /** Something else goes on with the connection. */
    void leave() {
        step = null;
        timer.cancel();
        if (pinned != null) {
            pinned.close();
        }
    }

    /** The connection is broken, or has ended where it must not (no cause then). */
    void clientGone(@Nullable IOException cause) {
        close(CloseReason.CLIENT_GONE, cause);
    }

    /** Ends the connection in order. */
    void close(CloseReason reason, @Nullable Throwable cause) {
        end(reason, cause, true);
    }

    /** Resets the connection. */
    void abort(CloseReason reason, @Nullable Throwable cause) {
        end(reason, cause, false);
    }

    private void end(CloseReason reason, @Nullable Throwable cause, boolean orderly) {
        Step stopped = step;
        if (stopped == null) {
            return;
        }
        leave();
        stopped.stopped(reason, cause);
        if (orderly) {
            client.close();
        } else {
            client.abort();
        }
        served.over(reason, cause);
    }

    private boolean isIdle() {
        Step asked = step;
        return asked != null && asked.isIdle();
    }

    // ------------------------------------------------------------------ told from outside

    @Override
    public void ready(int readyOps) {
        Step told = step;
        if (told != null) {
            told.ready(readyOps);
        }
    }

    @Override
    public void end(CloseReason reason) {
        served.onLoop(() -> end(reason, null, reason == CloseReason.EXPIRED && isIdle()));
    }

    /** A client that is between two requests is let go; it would wait in vain. */
    @Override
    public void drain() {
        served.onLoop(() -> {
            if (isIdle()) {
                close(CloseReason.DRAINED, null);
            }
        });
    }

    @Override
    public void abandoned(Throwable cause) {
        CloseReason reason = served.reasonOfAbandon();
        abort(reason, reason == CloseReason.FAILED ? cause : null);
    }
}
