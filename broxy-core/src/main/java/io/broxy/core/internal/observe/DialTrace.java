package io.broxy.core.internal.observe;

import io.broxy.DialException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Records the end of a dial; only the first call counts. Threading: for one thread at a time. */
public interface DialTrace {
    /** Records nothing. */
    DialTrace OFF = new DialTrace() {};

    /**
     * The connection is established.
     *
     * @param peer the address that the socket is connected to, or null if unknown
     */
    default void connected(@Nullable SocketAddress peer) {}

    /** The dial failed. */
    default void failed(DialException failure) {}

    /** The dial was cancelled. */
    default void cancelled() {}
}
