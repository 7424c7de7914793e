package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import io.broxy.DialRequest;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a lease.
 *
 * <p>Threading: immutable.
 *
 * @param idleUse which idle connections are acceptable
 * @param client the client whose address the dial sends, which makes the connection a new one for this lease only; null for
 *     none
 * @param lookUpClient the client whose share of the look-ups a dial uses; see {@link
 *     io.broxy.core.internal.upstream.LoopDialer#dial}
 * @param timeoutNanos the time for waiting and dialing together, from the start
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
