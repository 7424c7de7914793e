package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.DialRequest;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a lease is asked for.
 *
 * <p>Threading: immutable.
 *
 * @param idleUse which idle connections will do
 * @param client named to the far end by the dial, so that the connection is a new one and serves this lease only; null for none
 * @param lookUpClient for whose share of the look-ups a dial counts; see {@link io.broxy.core.internal.upstream.LoopDialer#dial}
 * @param timeoutNanos from the start, for waiting and dialing together
 */
record LeaseRequest(
        ConnPool.Key key,
        IdleUse idleUse,
        DialRequest.@Nullable Client client,
        @Nullable InetAddress lookUpClient,
        long startNanos,
        long timeoutNanos) {

    long endNanos() {
        return startNanos + timeoutNanos;
    }
}
