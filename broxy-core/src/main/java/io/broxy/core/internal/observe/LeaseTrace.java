package io.broxy.core.internal.observe;

import io.broxy.DialException;

/** Records the end of the wait for a lease. Threading: for one thread at a time. */
public interface LeaseTrace {
    /** Records nothing. */
    LeaseTrace OFF = new LeaseTrace() {
        @Override
        public void leased(boolean wasIdle) {}

        @Override
        public void failed(DialException failure) {}

        @Override
        public void cancelled() {}
    };

    /** The connection was leased. */
    void leased(boolean wasIdle);

    /** No connection could be leased. */
    void failed(DialException failure);

    /** The lease was cancelled. */
    void cancelled();
}
