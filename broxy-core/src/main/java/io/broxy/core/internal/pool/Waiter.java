package io.broxy.core.internal.pool;

/** Waits for a place in a pool; called once. Threading: called by any thread, so it must not block. */
interface Waiter<P> {

    /** Which idle connections are acceptable. */
    default IdleUse idleUse() {
        return IdleUse.ANY;
    }

    /** Grants a place, with an idle connection or the right to open one. It must be used or given back. */
    void granted(Slot<P> slot);

    /** No place will be granted, because the pool is closed. */
    void refused();
}
