package io.broxy.core.internal.net;

import io.broxy.DialException;
import java.util.function.Function;

/**
 * Receives the end of something that was begun on an event loop, such as a dial or a lease: exactly one call, on that loop,
 * possibly before the method that began it returns; none after it was cancelled.
 *
 * <p>Threading: owned by its event loop.
 *
 * @param <T> the type of the result, which belongs to the receiver
 */
public interface Completion<T> {
    /** It succeeded. */
    void done(T result);

    /** It failed. */
    void failed(DialException failure);

    /**
     * It failed because a user's dialer broke the contract of {@link io.broxy.Dialer}: the cause is what the dialer threw, or
     * says what it returned. A failure like any other by default.
     */
    default void broken(DialException failure) {
        failed(failure);
    }

    /** A completion that passes a function's result on to this one, and failures as they are. */
    default <S> Completion<S> from(Function<S, T> function) {
        Completion<T> next = this;
        return new Completion<>() {
            @Override
            public void done(S result) {
                next.done(function.apply(result));
            }

            @Override
            public void failed(DialException failure) {
                next.failed(failure);
            }

            @Override
            public void broken(DialException failure) {
                next.broken(failure);
            }
        };
    }
}
