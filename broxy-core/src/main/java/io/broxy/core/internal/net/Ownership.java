package io.broxy.core.internal.net;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A user's ownership of a connection, until the connection is detached or closed.
 *
 * <pre>
 *         detach          (the new owner closes it)
 *   USER ───────> DETACHED
 *    │  <───────
 *    │  reattach
 *    └─ end ────> ENDED
 * </pre>
 *
 * <p>Threading: thread-safe.
 */
final class Ownership {
    private enum State {
        USER,
        DETACHED,
        ENDED
    }

    private final AtomicReference<State> state = new AtomicReference<>(State.USER);

    /**
     * Ends the user's ownership in favor of another owner.
     *
     * @throws IllegalStateException if it is already detached
     * @throws ClosedChannelException if the connection is closed
     */
    void detach() throws ClosedChannelException {
        if (!state.compareAndSet(State.USER, State.DETACHED)) {
            if (state.get() == State.DETACHED) {
                throw new IllegalStateException("the connection has been given away");
            }
            throw new ClosedChannelException();
        }
    }

    /** Undoes {@link #detach}. */
    void reattach() {
        state.compareAndSet(State.DETACHED, State.USER);
    }

    /** Ends the user's ownership; true for the one call that must close the connection. */
    boolean end() {
        return state.compareAndSet(State.USER, State.ENDED);
    }

    boolean isOwned() {
        return state.get() == State.USER;
    }

    /** Fails if the user has given the connection away. */
    void ensureOwned() throws IOException {
        State now = state.get();
        if (now == State.DETACHED) {
            throw new IOException("the connection has been given away");
        }
        if (now != State.USER) {
            throw new ClosedChannelException();
        }
    }
}
