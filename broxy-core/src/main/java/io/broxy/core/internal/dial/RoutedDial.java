package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.core.internal.dial.RoutingTable.Hop;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import org.jspecify.annotations.Nullable;

/**
 * A dial on a loop through the first of several hops that works. Each hop keeps to its own share of the time.
 *
 * <p>Threading: owned by its event loop.
 */
final class RoutedDial implements DialHandle, Completion<LoopConnection> {
    private final Dial dial;
    private final FailOver failOver;
    private @Nullable DialHandle dialing;
    private boolean over;

    RoutedDial(Dial dial, FailOver failOver) {
        this.dial = dial;
        this.failOver = failOver;
    }

    DialHandle begin() {
        dialHop();
        return this;
    }

    private void dialHop() {
        Hop hop = failOver.hop();
        DialHandle underWay = hop.onLoop.dial(dial.loop(), failOver.request(), dial.client(), this);
        if (!over && failOver.hop() == hop) { // else it has ended at once, and this is another hop's turn
            dialing = underWay;
        }
    }

    @Override
    public void done(LoopConnection connection) {
        over = true;
        failOver.connected();
        dial.completion().done(connection);
    }

    @Override
    public void failed(DialException failure) {
        DialException all = failOver.failed(failure);
        if (all == null) {
            dialHop();
        } else {
            over = true;
            dial.completion().failed(all);
        }
    }

    @Override
    public void broken(DialException failure) {
        over = true;
        dial.completion().broken(failure);
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
