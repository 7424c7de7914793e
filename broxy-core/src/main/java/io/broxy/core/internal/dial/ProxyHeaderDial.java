package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.Durations;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.upstream.LoopDialer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A dial of an {@link ProxyHeaderDialer} on a loop. The dialer below keeps the time until it has connected; after that the
 * header mostly goes out at once, and there is no time to keep.
 *
 * <pre>
 *   DIALING ──> SENDING ──> OVER
 * </pre>
 *
 * <p>Threading: owned by its event loop.
 */
final class ProxyHeaderDial implements DialHandle, LoopDialer.UserOutcome, ChannelEvents {
    private enum State {
        DIALING,
        SENDING,
        OVER
    }

    private final EventLoop loop;
    private final DialRequest request;
    private final ByteBuffer header;
    private final long startNanos;
    private final LoopDialer.UserOutcome outcome;

    private State state = State.DIALING;
    private @Nullable DialHandle dialing;
    private @Nullable LoopConnection connection;
    private TimerQueue.@Nullable Timer deadline;

    ProxyHeaderDial(
            EventLoop loop, DialRequest request, ByteBuffer header, long startNanos, LoopDialer.UserOutcome outcome) {
        this.loop = loop;
        this.request = request;
        this.header = header;
        this.startNanos = startNanos;
        this.outcome = outcome;
    }

    // ------------------------------------------------------------------ DIALING

    void begin(LoopDialer below) {
        DialHandle underWay = below.dial(loop, request, this);
        if (state == State.DIALING) {
            dialing = underWay;
        }
    }

    @Override
    public @Nullable InetAddress forClient() {
        return outcome.forClient();
    }

    @Override
    public void failed(DialException failure) {
        state = State.OVER;
        outcome.failed(failure);
    }

    @Override
    public void dialerFailed(Throwable failure) {
        state = State.OVER;
        outcome.dialerFailed(failure);
    }

    @Override
    public void connected(LoopConnection dialled) {
        state = State.SENDING;
        connection = dialled;
        try {
            dialled.write(header);
            if (header.hasRemaining()) {
                dialled.handler(this);
                deadline = loop.timers().schedule(endNanos(), this::timedOut);
                dialled.interest(SelectionKey.OP_WRITE);
                return;
            }
        } catch (IOException e) {
            fail(Reason.PROTOCOL, e);
            return;
        }
        done(dialled);
    }

    private long endNanos() {
        Duration own = request.timeout();
        return startNanos
                + Durations.positiveNanos(own == null ? ProxyHeaderDialer.DEFAULT_TIMEOUT : own, "a dial's time-out");
    }

    // ------------------------------------------------------------------ SENDING

    @Override
    public void ready(int readyOps) {
        LoopConnection own = connection;
        if (state != State.SENDING || own == null) {
            return;
        }
        try {
            own.write(header);
            if (header.hasRemaining()) {
                return;
            }
            own.interest(0);
        } catch (IOException e) {
            fail(Reason.PROTOCOL, e);
            return;
        }
        done(own);
    }

    private void timedOut() {
        if (loop.isStopping()) {
            fail(Reason.CANCELLED, new IOException("the event loop is ending"));
        } else {
            fail(Reason.TIMEOUT, new SocketTimeoutException("it was not taken in the dial's time"));
        }
    }

    // ------------------------------------------------------------------ ends

    private void done(LoopConnection announced) {
        end();
        outcome.connected(announced);
    }

    private void fail(Reason reason, Throwable cause) {
        if (state == State.SENDING) {
            discard();
            outcome.failed(ProxyHeaderDialer.failure(reason, request, cause)
                    .duration(Duration.ofNanos(loop.nowNanos() - startNanos))
                    .build());
        }
    }

    /** Whoever has got a part of the header must not take it for a connection that ended in good order. */
    private void discard() {
        end();
        if (connection != null) {
            connection.abort();
        }
    }

    private void end() {
        state = State.OVER;
        if (deadline != null) {
            loop.timers().cancel(deadline);
        }
    }

    @Override
    public void clientEnded() {
        if (dialing != null) {
            dialing.clientEnded();
        }
    }

    @Override
    public void cancel() {
        if (state == State.DIALING && dialing != null) {
            dialing.cancel();
        }
        if (state != State.OVER) {
            discard();
        }
    }

    @Override
    public void abandoned(Throwable cause) {
        fail(loop.isStopping() ? Reason.CANCELLED : Reason.LOCAL, cause);
    }
}
