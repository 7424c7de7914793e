package io.broxy.core.internal.dial;

import io.broxy.core.internal.http.KeepAlive;
import io.broxy.core.internal.net.LoopConnection;
import io.broxy.core.internal.pool.LoopLease;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a proxy while a tunnel is being opened over it, which ends in {@link #detach}, {@link #reuse} or one of the
 * discards.
 *
 * @param lease null if the connection was opened for one dial, and so is closed when no tunnel comes of it
 * <p>Threading: owned by its event loop.
 */
record ProxyConnection(LoopConnection connection, @Nullable LoopLease lease) {

    /** Whether it was idle before, so that the proxy may have closed it in the meantime. */
    boolean wasIdle() {
        return lease != null && lease.wasIdle();
    }

    /** The tunnel is open, and the connection belongs to the receiver of the dial's result. */
    void detach() {
        if (lease != null) {
            lease.detach();
        }
    }

    /** The proxy has refused, and takes another request for as long and as often as it has said. */
    void reuse(KeepAlive said) {
        if (lease == null) {
            connection.close();
        } else {
            lease.answered(said.timeoutNanos(), said.max());
            lease.giveBack();
        }
    }

    /** The proxy has ended or spoilt the connection before it answered. */
    void discardUnanswered() {
        if (lease == null) {
            connection.close();
        } else {
            lease.closeUnanswered();
        }
    }

    /** The connection is of no use any more. */
    void discard() {
        if (lease == null) {
            connection.close();
        } else {
            lease.close();
        }
    }
}
