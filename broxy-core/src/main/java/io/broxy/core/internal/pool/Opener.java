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
 * @param workers run users' dialers
 * <p>Threading: immutable.
 */
record Opener(Workers workers) {

    /**
     * Begins to open a connection.
     *
     * @param client named by the dial, or null
     * @param lookUpClient for whose share of the look-ups the dial counts; see {@link LoopDialer#dial}
     * @param completion gets the connection, possibly before this method returns
     */
    DialHandle open(
            EventLoop loop,
            ConnPool.Key key,
            DialRequest.@Nullable Client client,
            @Nullable InetAddress lookUpClient,
            long timeoutNanos,
            Completion<LoopConnection> completion) {
        return UserDialerAdapter.of(key.dialer(), workers)
                .dial(loop, request(key, client, timeoutNanos), lookUpClient, completion);
    }

    static DialRequest request(ConnPool.Key key, DialRequest.@Nullable Client client, long timeoutNanos) {
        return DialRequest.builder(key.address())
                .timeout(Duration.ofNanos(timeoutNanos))
                .client(client)
                .build();
    }

    /** A failure that does not come from a dialer. */
    static DialException failure(DialException.Reason reason, ConnPool.Key key, long nanos, Throwable cause) {
        return new DialException(reason, key.address(), Duration.ofNanos(nanos), List.of(), cause);
    }
}
