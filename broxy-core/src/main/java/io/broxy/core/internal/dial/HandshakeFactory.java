package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.HostPort;
import io.broxy.core.internal.loop.EventLoop;
import java.util.function.Consumer;

/** Makes the handshakes of one proxy dialer. Threading: thread-safe. */
interface HandshakeFactory {

    /** Makes handshakes for one target; the second is for another connection. Threading: owned by its event loop. */
    @FunctionalInterface
    interface Maker {
        Handshake make();
    }

    /**
     * Prepares the handshakes for a target.
     *
     * @param ready called on the loop, possibly before this method returns
     * @param failed called on the loop, in place of {@code ready}
     */
    void prepare(EventLoop loop, HostPort target, Consumer<Maker> ready, Consumer<DialException> failed);
}
