package io.broxy.core.internal.proxy;

import io.broxy.ClientTls;
import io.broxy.CloseReason;
import io.broxy.RefusedException;
import io.broxy.TunnelResult;
import io.broxy.core.internal.forward.PinnedConnections;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.loop.Throttles;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.observe.ConnectionRecorder;
import io.broxy.core.internal.relay.Stage;
import io.broxy.core.internal.relay.TunnelHandle;
import io.broxy.core.internal.time.LazyTimer;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection, from the moment it is handed over until it is closed and accounted. One {@link Step} after another works
 * on it; what happens to the connection goes to the current step. A {@link io.broxy.core.internal.relay.Relay} or a {@link
 * FinalResponse} takes over from the last step. However it ends, {@link #ended} comes last.
 *
 * <p>Threading: owned by its event loop once it is {@linkplain #onLoop(LoopConnection) there}, and before by the thread that
 * hands it over; {@link #end}, {@link #drain} and {@link #onLoop(Runnable)} are for any thread.
 */
final class ClientConnection implements ChannelEvents, Stage, TunnelHandle.EndListener {

    private final HandlerContext context;
    private final ClientAccount account;
    private final ClientFacts facts = new ClientFacts(this);
    private final TunnelHandle tunnel;
    private ClientProtocol protocol = ClientProtocol.HTTP;

    /** The loop whose client this is; null if there is none. */
    private @Nullable EventLoop servedBy;

    private @Nullable LoopConnection client;
    private @Nullable LazyTimer timer;
    private TimerQueue.@Nullable Timer lifetime;
    private @Nullable ConnectionRates rates;
    private @Nullable PinnedConnections pinned;
    /** Null before the first step and after the last. */
    private @Nullable Step step;

    private long deadlineNanos;

    /** Creates the connection of a client that was counted. */
    ClientConnection(HandlerContext context, ConnectionLimits.Admission admission) {
        this.context = context;
        this.account = new ClientAccount(context, admission);
        this.tunnel = new TunnelHandle(context.engine().ticker(), context.completions(), this);
    }

    HandlerContext context() {
        return context;
    }

    HandlerSettings.Timeouts timeouts() {
        return context.settings().timeouts();
    }

    Metrics metrics() {
        return context.metrics();
    }

    /** Its places, its progress and its records. */
    ClientAccount account() {
        return account;
    }

    /** The user's handle, which has the result. */
    TunnelHandle tunnel() {
        return tunnel;
    }

    // ------------------------------------------------------------------ on its loop

    /** Picks the loop that serves the client, one of those that can. */
    EventLoop chooseLoop(EventLoops loops) {
        EventLoop loop = loops.forClient();
        servedBy = loop;
        return loop;
    }

    /** The client has arrived on its loop. */
    void onLoop(LoopConnection onLoop) {
        client = onLoop;
    }

    LoopConnection client() {
        return Objects.requireNonNull(client, "the client is not on its loop");
    }

    EventLoop loop() {
        return client().loop();
    }

    /** Runs a task on the loop, at once if it is the caller's. A loop that has stopped has abandoned the client before. */
    void onLoop(Runnable task) {
        if (loop().inLoop()) {
            task.run();
            return;
        }
        try {
            loop().execute(task);
        } catch (RejectedExecutionException e) {
            // The client is abandoned.
        }
    }

    /** Begins to serve the client, whose address is known by now: its rates and its lifetime begin to count. */
    void serve() {
        LoopConnection served = client();
        facts.settle();
        rates = context.limits().rates(this, account.admission().place());
        if (timeouts().lifetimeNanos() != 0) {
            EventLoop loop = served.loop();
            lifetime = loop.timers()
                    .schedule(
                            tunnel.startNanos() + timeouts().lifetimeNanos(),
                            () -> tunnel.end(loop.isStopping() ? CloseReason.CLOSED : CloseReason.EXPIRED));
        }
    }

    // ------------------------------------------------------------------ whose it is

    /** What is known about the client. */
    ClientFacts facts() {
        return facts;
    }

    /**
     * The client's connection is secure.
     *
     * @param identity the client's identity, if its certificate proves one
     */
    void secured(LoopConnection secure, ClientTls session, @Nullable String identity) {
        client = secure;
        facts.secured(session, identity);
    }

    /** The client has begun to speak another protocol than HTTP. */
    void speaks(ClientProtocol other) {
        protocol = other;
    }

    /** The protocol in which the client is answered. */
    ClientProtocol protocol() {
        return protocol;
    }

    /** A request is admitted: what it dials and relays is for this user, or for none (null). */
    void identified(@Nullable String identity) {
        facts.identified(identity);
        if (rates != null) {
            rates.identified(identity);
        }
    }

    /** The limits of the rate for the current request, or null for none. */
    @Nullable
    Throttles throttles() {
        return rates == null ? null : rates.throttles();
    }

    // ------------------------------------------------------------------ records

    /** Records events of the client, if anything observes it. */
    ConnectionRecorder recorder() {
        return account.recorder();
    }

    /** As {@link #recorder}; begins to record if observation has begun by now, and records the client's address first. */
    ConnectionRecorder record() {
        ConnectionRecorder current = account.startRecorder();
        if (current.isOn()) {
            current.opened(facts.source(), facts.tls());
            current.speaks(protocol.logName());
        }
        return current;
    }

    // ------------------------------------------------------------------ from step to step

    /** Begins with a step. If an end was requested before, the connection ends instead; if the step fails to begin, too. */
    void begin(Step first) {
        stopTimer();
        step(first);
        tunnel.stage(this);
        if (!isAt(first)) {
            return;
        }
        try {
            first.begin();
        } catch (RuntimeException | Error e) { // such as no memory for a buffer
            logFailure(e);
            abandoned(e);
        }
    }

    /** Goes on with another step. */
    void step(Step following) {
        step = following;
        client().handler(this);
    }

    /** Whether this is the current step. */
    boolean isAt(Step asked) {
        return step == asked;
    }

    /** Waits until the connection is ready for the operations. */
    void waitFor(int ops) {
        try {
            client().interest(ops);
        } catch (IOException e) {
            clientGone(e);
        }
    }

    /** Sets the deadline, in place of the one before. */
    void due(long thenNanos) {
        deadlineNanos = thenNanos;
        if (timer == null) {
            timer = new LazyTimer(loop().timers(), this::checkTime);
        }
        timer.atLatest(thenNanos);
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel();
        }
    }

    private void checkTime() {
        Step timed = step;
        if (timed == null || loop().isStopping()) {
            return;
        }
        if (deadlineNanos - loop().nowNanos() > 0) {
            due(deadlineNanos);
        } else {
            timed.timedOut();
        }
    }

    @Override
    public void ready(int readyOps) {
        Step current = step;
        if (current != null) {
            current.ready(readyOps);
        }
    }

    // ------------------------------------------------------------------ logins that upstream connections carry

    /** The upstream connections that serve this client only; they are closed when no request can follow. */
    PinnedConnections pinned() {
        PinnedConnections all = pinned;
        if (all == null) {
            all = new PinnedConnections(loop(), timeouts().keepAliveNanos(), this::loginLost);
            pinned = all;
        }
        return all;
    }

    /** The client's login is lost with a connection to an origin: an idle client learns that by the end of its own. */
    private void loginLost() {
        if (isIdle()) {
            last(Answer.NONE, CloseReason.FINISHED, null);
        }
    }

    /** Whether no other request may come because a login is lost. */
    boolean hasLostLogin() {
        return pinned != null && pinned.hasLost();
    }

    // ------------------------------------------------------------------ ends

    /** Refuses a request, which is the last on the connection. */
    void refuse(RefusedException refusal, boolean withBody) {
        last(protocol.refused(refusal, withBody), CloseReason.REFUSED, refusal);
    }

    /** Sends the last response, which may be empty, and closes. */
    void last(Answer reply, CloseReason reason, @Nullable Throwable cause) {
        leave();
        FinalResponse.start(this, reply, reason, cause);
    }

    /** No step goes on: a relay or a final response takes the connection. */
    void leave() {
        step = null;
        stopTimer();
        if (pinned != null) {
            pinned.close();
        }
    }

    /** The connection is broken, or has ended where it must not (no cause then). */
    void clientGone(@Nullable IOException cause) {
        close(CloseReason.CLIENT_GONE, cause);
    }

    /** Closes the connection in order. */
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
            client().close();
        } else {
            client().abort();
        }
        over(reason, cause);
    }

    /** Records the end of a connection that is closed by now, and was not relayed. */
    void over(CloseReason reason, @Nullable Throwable cause) {
        client().whenClosed(() -> tunnel.ended(reason, cause, 0, 0));
    }

    private boolean isIdle() {
        Step current = step;
        return current != null && current.isIdle();
    }

    @Override
    public void end(CloseReason reason) {
        onLoop(() -> end(reason, null, reason == CloseReason.EXPIRED && isIdle()));
    }

    /** Closes a connection between two requests: no other one would be served. */
    @Override
    public void drain() {
        onLoop(() -> {
            if (isIdle()) {
                close(CloseReason.DRAINED, null);
            }
        });
    }

    @Override
    public void abandoned(Throwable cause) {
        boolean stopping = loop().isStopping();
        abort(stopping ? CloseReason.CLOSED : CloseReason.FAILED, stopping ? null : cause);
    }

    /** Logs a failure that no caller would pass on. */
    void logFailure(Throwable failure) {
        DefaultProxyHandler.log.error("a session failed; its connection is closed", failure);
    }

    /** The connection is closed: stops its clocks and accounts for it. */
    @Override
    public void ended(TunnelHandle ended, TunnelResult result) {
        if (rates != null) {
            rates.end();
        }
        TimerQueue.Timer planned = lifetime;
        if (planned != null) {
            onLoop(() -> loop().timers().cancel(planned));
        }
        if (servedBy != null) {
            servedBy.leave();
        }
        account.ended(this, result);
    }
}
