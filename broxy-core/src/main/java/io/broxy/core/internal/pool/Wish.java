package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;

/**
 * What a lease is asked for.
 *
 * <p>Threading: immutable.
 *
 * @param idleUse which idle connections will do
 * @param timeoutNanos from the start, for waiting and dialing together
 */
record Wish(Hop hop, IdleUse idleUse, long startNanos, long timeoutNanos) {

    long endNanos() {
        return startNanos + timeoutNanos;
    }
}
