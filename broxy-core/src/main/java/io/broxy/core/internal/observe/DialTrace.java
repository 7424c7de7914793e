package io.broxy.core.internal.observe;

import io.broxy.DialException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Records the end of a dial; only the first call counts. Threading: for one thread at a time. */
public interface DialTrace {
    /** Records nothing. */
    DialTrace OFF = new DialTrace() {
        @Override
        public void connected(@Nullable SocketAddress peer) {}

        @Override
        public void failed(DialException failure) {}

        @Override
        public void cancelled() {}
    };

    /**
     * The connection is established.
     *
     * @param peer where the socket leads, or null if that is not known
     */
    void connected(@Nullable SocketAddress peer);

    /** The dial failed. */
    void failed(DialException failure);

    /** The dial was cancelled. */
    void cancelled();
}
