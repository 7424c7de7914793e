package io.broxy.core.internal.observe;

import io.broxy.DialException;

/** The wait for a lease that a recording may follow. Threading: for one thread at a time. */
public interface LeaseTrace {
    /** Of one that nobody follows. */
    LeaseTrace OFF = new LeaseTrace() {
        @Override
        public void leased(boolean wasIdle) {}

        @Override
        public void failed(DialException failure) {}

        @Override
        public void cancelled() {}
    };

    /** There is a lease. */
    void leased(boolean wasIdle);

    /** There is none. */
    void failed(DialException failure);

    /** Nobody wants it any more. */
    void cancelled();
}
