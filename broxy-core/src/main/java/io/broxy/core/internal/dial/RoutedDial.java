package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.upstream.LoopDialer;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A dial on a loop by way of the first of several hops that works. Each hop keeps the time that it was given.
 *
 * <p>Threading: owned by its event loop.
 */
final class RoutedDial implements DialHandle, LoopDialer.UserOutcome {
    private final EventLoop loop;
    private final FailOver failOver;
    private final LoopDialer.UserOutcome outcome;
    private @Nullable DialHandle dialing;
    private boolean over;

    private RoutedDial(EventLoop loop, FailOver failOver, LoopDialer.UserOutcome outcome) {
        this.loop = loop;
        this.failOver = failOver;
        this.outcome = outcome;
    }

    static RoutedDial start(EventLoop loop, FailOver failOver, LoopDialer.UserOutcome outcome) {
        RoutedDial dial = new RoutedDial(loop, failOver, outcome);
        dial.dialHop();
        return dial;
    }

    private void dialHop() {
        Hop hop = failOver.hop();
        DialHandle underWay = hop.onLoop().dial(loop, failOver.request(), this);
        if (!over && failOver.hop() == hop) { // else it has ended at once, and this is another hop's turn
            dialing = underWay;
        }
    }

    @Override
    public void connected(LoopConnection connection) {
        over = true;
        failOver.connected();
        outcome.connected(connection);
    }

    @Override
    public @Nullable InetAddress forClient() {
        return outcome.forClient();
    }

    @Override
    public void failed(DialException failure) {
        DialException all = failOver.failed(failure);
        if (all == null) {
            dialHop();
        } else {
            over = true;
            outcome.failed(all);
        }
    }

    @Override
    public void dialerFailed(Throwable failure) {
        over = true;
        outcome.dialerFailed(failure);
    }

    @Override
    public void clientEnded() {
        if (dialing != null) {
            dialing.clientEnded();
        }
    }

    @Override
    public void cancel() {
        if (!over) {
            over = true;
            if (dialing != null) {
                dialing.cancel();
            }
        }
    }
}
