package io.broxy.core.internal.pool;

/** Whoever waits for a place in a pool; told once. Threading: called by any thread, which must not be made to wait. */
interface Waiter<P> {

    /** Whether an idle connection is of no use to it. */
    default boolean wantsFresh() {
        return false;
    }

    /** A place is there, with an idle connection or the right to open one; it must be used or given back. */
    void granted(Slot<P> slot);

    /** There will be none, for the pool is closed. */
    void refused();
}
