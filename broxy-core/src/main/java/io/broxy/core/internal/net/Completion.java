package io.broxy.core.internal.net;

import io.broxy.DialException;

/**
 * Receives the end of something that was begun on an event loop, such as a dial, a lease or a handshake: exactly one call, on
 * that loop, possibly before the method that began it returns; none after it was cancelled.
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
}
