package io.broxy.core.internal.observe;

import io.broxy.DialException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** A dial that a recording may follow. The first end that it is told counts. Threading: for one thread at a time. */
public interface DialTrace {
    /** Of a dial that nobody follows. */
    DialTrace OFF = new DialTrace() {
        @Override
        public void connected(@Nullable SocketAddress peer) {}

        @Override
        public void failed(DialException failure) {}

        @Override
        public void cancelled() {}
    };

    /**
     * The connection stands.
     *
     * @param peer where the socket leads, or null if that is not known
     */
    void connected(@Nullable SocketAddress peer);

    /** There is none. */
    void failed(DialException failure);

    /** Nobody wants it any more. */
    void cancelled();
}
