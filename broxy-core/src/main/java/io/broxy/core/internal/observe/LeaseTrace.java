package io.broxy.core.internal.observe;

import io.broxy.DialException;

/** Records the end of the wait for a lease. Threading: for one thread at a time. */
public interface LeaseTrace {
    /** Records nothing. */
    LeaseTrace OFF = new LeaseTrace() {};

    /** The connection was leased. */
    default void leased(boolean wasIdle) {}

    /** No connection could be leased. */
    default void failed(DialException failure) {}

    /** The lease was cancelled. */
    default void cancelled() {}
}
