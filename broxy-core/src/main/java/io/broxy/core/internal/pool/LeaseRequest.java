package io.broxy.core.internal.pool;

import io.broxy.ConnPool;

/**
 * What a lease is asked for.
 *
 * <p>Threading: immutable.
 *
 * @param idleUse which idle connections will do
 * @param timeoutNanos from the start, for waiting and dialing together
 */
record LeaseRequest(ConnPool.Key hop, IdleUse idleUse, long startNanos, long timeoutNanos) {

    long endNanos() {
        return startNanos + timeoutNanos;
    }
}
