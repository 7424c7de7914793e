package io.broxy.core.internal.pool;

/** Waits for a place in a pool; called once. Threading: called by any thread, so it must not block. */
interface Waiter<P> {

    /** Which idle connections will do. */
    default IdleUse idleUse() {
        return IdleUse.ANY;
    }

    /** There is a place, with an idle connection or the right to open one; it must be used or given back. */
    void granted(Slot<P> slot);

    /** There will be none, for the pool is closed. */
    void refused();
}
