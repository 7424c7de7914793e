package io.broxy.core.internal.net;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Who owns a connection: its user, until it is given away or closed.
 *
 * <pre>
 *          give            (the new owner closes it)
 *   USER ───────> GIVEN
 *    │  <───────
 *    │   takeBack
 *    └─ end ────> ENDED
 * </pre>
 *
 * <p>Threading: thread-safe.
 */
final class Ownership {
    private enum State {
        USER,
        GIVEN,
        ENDED
    }

    private final AtomicReference<State> state = new AtomicReference<>(State.USER);

    /**
     * Ends the user's ownership in favour of another owner.
     *
     * @throws IllegalStateException if that was done before
     * @throws ClosedChannelException if the connection is closed
     */
    void give() throws ClosedChannelException {
        if (!state.compareAndSet(State.USER, State.GIVEN)) {
            if (state.get() == State.GIVEN) {
                throw new IllegalStateException("the connection has been given away");
            }
            throw new ClosedChannelException();
        }
    }

    /** Undoes {@link #give}. */
    void takeBack() {
        state.compareAndSet(State.GIVEN, State.USER);
    }

    /** Ends the user's ownership; true for the one call that has to close. */
    boolean end() {
        return state.compareAndSet(State.USER, State.ENDED);
    }

    boolean isOwned() {
        return state.get() == State.USER;
    }

    /** Refuses a user's call on what is no longer his. */
    void ensureOwned() throws IOException {
        State now = state.get();
        if (now == State.GIVEN) {
            throw new IOException("the connection has been given away");
        }
        if (now != State.USER) {
            throw new ClosedChannelException();
        }
    }
}
