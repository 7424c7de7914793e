package io.broxy.core.internal.net;

import io.broxy.DialException;
import java.util.function.Function;

/**
 * Receives the result of an asynchronous operation of an event loop, such as a dial or a lease. Exactly one method is called,
 * once, on that loop, possibly before the method that started the operation returns; none is called after a cancellation.
 *
 * <p>Threading: owned by its event loop.
 *
 * @param <T> the type of the result, which belongs to the receiver
 */
public interface Completion<T> {
    /** The operation succeeded. */
    void done(T result);

    /** The operation failed. */
    void failed(DialException failure);

    /**
     * The operation failed because a user's dialer violated the contract of {@link io.broxy.Dialer}. The cause is the exception
     * that the dialer threw, or describes the value that it returned. The default implementation calls {@link #failed}.
     */
    default void broken(DialException failure) {
        failed(failure);
    }

    /** A completion that maps a result with a function and passes it on to this one, together with all failures. */
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
