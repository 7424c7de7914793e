package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.Workers;
import io.broxy.core.internal.net.Completion;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.upstream.LoopDialer;
import io.broxy.core.internal.upstream.UserDialerAdapter;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Opens connections on event loops.
 *
 * @param workers run dialers that somebody else wrote
 * <p>Threading: immutable.
 */
record Opener(Workers workers) {

    /**
     * Begins to open a connection.
     *
     * @param client for whose share of the look-ups the dial counts; see {@link LoopDialer#dial}
     * @param completion gets the connection, possibly before this method returns
     */
    DialHandle open(
            EventLoop loop,
            ConnPool.Key hop,
            @Nullable InetAddress client,
            long timeoutNanos,
            Completion<LoopConnection> completion) {
        return UserDialerAdapter.of(hop.dialer(), workers).dial(loop, request(hop, timeoutNanos), client, completion);
    }

    static DialRequest request(ConnPool.Key hop, long timeoutNanos) {
        return DialRequest.builder(hop.address())
                .timeout(Duration.ofNanos(timeoutNanos))
                .client(hop.client())
                .build();
    }

    /** A failure of a hop that no dialer has told. */
    static DialException failure(DialException.Reason reason, ConnPool.Key hop, long nanos, Throwable cause) {
        return new DialException(reason, hop.address(), Duration.ofNanos(nanos), List.of(), cause);
    }
}
