package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.time.TimerQueue;
import io.broxy.core.internal.tls.Tls;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A dial of a {@link TlsDialer}: the dialer below keeps the time until it has connected, this one from then on.
 *
 * <p>Threading: owned by its event loop.
 */
final class TlsDial implements DialHandle, LoopDialer.UserOutcome, Tls.Outcome {
    private final EventLoop loop;
    private final DialRequest request;
    private final TlsDialer dialer;
    private final LoopDialer.UserOutcome outcome;
    private final long startNanos;
    private final long endNanos;
    private @Nullable DialHandle step;
    private TimerQueue.@Nullable Timer deadline;
    private boolean over;

    private TlsDial(
            EventLoop loop, DialRequest request, long timeoutNanos, TlsDialer dialer, LoopDialer.Outcome outcome) {
        this.loop = loop;
        this.request =
                request.toBuilder().timeout(Duration.ofNanos(timeoutNanos)).build();
        this.dialer = dialer;
        this.outcome = UserDialerAdapter.forUsers(outcome, request.target());
        this.startNanos = dialer.ticker().nanos();
        this.endNanos = startNanos + timeoutNanos;
    }

    /** Begins a dial. */
    static TlsDial start(
            EventLoop loop, DialRequest request, long timeoutNanos, TlsDialer dialer, LoopDialer.Outcome outcome) {
        TlsDial dial = new TlsDial(loop, request, timeoutNanos, dialer, outcome);
        dial.step(dialer.below().dial(loop, dial.request, dial));
        return dial;
    }

    /** The step that can be cancelled; one that has ended at once has been followed by the next already. */
    private void step(DialHandle underWay) {
        if (step == null && !over) {
            step = underWay;
        }
    }

    @Override
    public void connected(LoopConnection connection) {
        deadline = loop.timers().schedule(endNanos, this::timedOut);
        step = () -> {}; // the handshake may end before it has begun
        DialHandle handshake = dialer.tls().onLoop(connection, request.target(), this);
        if (!over) {
            step = handshake;
        }
    }

    @Override
    public void dialerFailed(Throwable failure) {
        if (failure instanceof SocketTimeoutException late) {
            fail(Reason.TIMEOUT, late);
        } else if (failure instanceof IOException broken) {
            failed(broken);
        } else {
            fail(Reason.LOCAL, new IOException("the dialer or its connection failed", failure));
        }
    }

    @Override
    public void secured(LoopConnection connection) {
        if (over) {
            connection.close();
            return;
        }
        end();
        outcome.connected(connection);
    }

    @Override
    public void failed(IOException cause) {
        fail(loop.isStopping() ? Reason.CANCELLED : Reason.PROTOCOL, cause);
    }

    @Override
    public void failed(DialException failure) {
        if (!over) {
            end();
            outcome.failed(failure);
        }
    }

    private void timedOut() {
        DialHandle handshake = step;
        Reason reason = loop.isStopping() ? Reason.CANCELLED : Reason.TIMEOUT;
        fail(reason, new SocketTimeoutException("the TLS handshake took too long"));
        if (handshake != null) {
            handshake.cancel();
        }
    }

    private void fail(Reason reason, IOException cause) {
        if (!over) {
            end();
            outcome.failed(DialException.builder(reason, request.target())
                    .duration(Duration.ofNanos(dialer.ticker().nanos() - startNanos))
                    .cause(cause)
                    .build());
        }
    }

    private void end() {
        over = true;
        if (deadline != null) {
            loop.timers().cancel(deadline);
        }
    }

    @Override
    public void cancel() {
        if (!over) {
            end();
            if (step != null) {
                step.cancel();
            }
        }
    }
}
