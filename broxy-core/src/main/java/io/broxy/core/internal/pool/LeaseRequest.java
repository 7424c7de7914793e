package io.broxy.core.internal.pool;

import io.broxy.ConnPool;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a lease is asked for.
 *
 * <p>Threading: immutable.
 *
 * @param idleUse which idle connections will do
 * @param client for whose share of the look-ups a dial counts; see {@link io.broxy.core.internal.upstream.LoopDialer#dial}
 * @param timeoutNanos from the start, for waiting and dialing together
 */
record LeaseRequest(
        ConnPool.Key hop, IdleUse idleUse, @Nullable InetAddress client, long startNanos, long timeoutNanos) {

    long endNanos() {
        return startNanos + timeoutNanos;
    }
}
