package io.broxy.core.internal.upstream;

import io.broxy.DialException;
import io.broxy.DialRequest;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.DialHandle;
import io.broxy.core.internal.net.LoopConnection;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A dialer that works on event loops: a tunnel's two connections live on one loop without a hand-over.
 *
 * <p>Threading: thread-safe; {@link #dial} and everything that comes of it runs on the given loop.
 */
public interface LoopDialer {

    /** Told how a dial ended, once, on the loop. Threading: owned by its event loop. */
    interface Outcome {
        /** The connection stands and belongs to whoever is told. */
        void connected(LoopConnection connection);

        /** There is none. */
        void failed(DialException failure);

        /**
         * The client whose share of the look-ups a dial counts for although its request does not name it, as for a
         * connection that is pooled later; null for none, or for the one that the request names.
         */
        default @Nullable InetAddress forClient() {
            return null;
        }
    }

    /**
     * An outcome that can also do with how only {@linkplain UserDialerAdapter somebody else's} dialer fails.
     *
     * <p>Threading: owned by its event loop.
     */
    interface UserOutcome extends Outcome {
        /** There is none, for the dialer broke its contract: it threw what it must not, or gave nothing. */
        void dialerFailed(Throwable failure);
    }

    /**
     * Begins a dial.
     *
     * @param outcome told the end, possibly before this method returns
     */
    DialHandle dial(EventLoop loop, DialRequest request, Outcome outcome);
}
