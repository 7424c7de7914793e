package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;
import io.broxy.Connection;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.LoopDialer;
import io.broxy.core.internal.time.Ticker;
import java.time.Duration;
import java.util.List;

/**
 * Opens connections on event loops.
 *
 * @param workers run dialers that somebody else wrote
 * <p>Threading: immutable.
 */
record Opener(Workers workers, Ticker ticker) {

    /** Told how it ended, once. Threading: owned by the event loop. */
    interface Outcome extends LoopDialer.Outcome {
        /** The connection stands, but no loop can drive it. */
        void connected(Connection connection);
    }

    /**
     * Begins to open a connection.
     *
     * @param outcome told the end, possibly before this returns
     */
    LoopDialer.Dialing open(EventLoop loop, Hop hop, long timeoutNanos, Outcome outcome) {
        DialRequest request = request(hop, timeoutNanos);
        return hop.dialer() instanceof LoopDialer own
                ? own.dial(loop, request, outcome)
                : ForeignDial.start(loop, hop, request, this, outcome);
    }

    static DialRequest request(Hop hop, long timeoutNanos) {
        return DialRequest.builder(hop.address())
                .timeout(Duration.ofNanos(timeoutNanos))
                .build();
    }

    /** A failure of a hop that no dialer has told. */
    static DialException failure(DialException.Reason reason, Hop hop, long nanos, Throwable cause) {
        return new DialException(reason, hop.address(), Duration.ofNanos(nanos), List.of(), cause);
    }
}
