package io.broxy.core.internal.pool;

/** Whoever waits for a place in a pool; told once. Threading: called by any thread, which must not be made to wait. */
interface Waiter<P> {

    /** Which idle connections are of use to it. */
    default IdleUse idleUse() {
        return IdleUse.ANY;
    }

    /** A place is there, with an idle connection or the right to open one; it must be used or given back. */
    void granted(Slot<P> slot);

    /** There will be none, for the pool is closed. */
    void refused();
}
