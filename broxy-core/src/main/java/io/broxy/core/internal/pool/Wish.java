package io.broxy.core.internal.pool;

import io.broxy.ConnPool.Hop;

/**
 * What a lease is asked for.
 *
 * <p>Threading: immutable.
 *
 * @param fresh whether the connection must not have been idle
 * @param timeoutNanos from the start, for waiting and dialing together
 */
record Wish(Hop hop, boolean fresh, long startNanos, long timeoutNanos) {

    long endNanos() {
        return startNanos + timeoutNanos;
    }
}
