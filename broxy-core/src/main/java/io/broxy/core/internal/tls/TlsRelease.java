package io.broxy.core.internal.tls;

import io.broxy.Connection;
import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A TLS connection on its way from a loop to a user, as soon as nothing is under way: ciphertext that is held would go out
 * only with the user's next write, which the user may not make before an answer to it comes.
 *
 * <p>Threading: owned by the event loop.
 */
final class TlsRelease {
    /** How long the peer may leave ciphertext behind. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final TlsLoopConnection connection;
    private final Consumer<Connection> ready;
    private final Consumer<IOException> failed;
    private final TimerQueue.Timer timer;
    private boolean over;

    TlsRelease(TlsLoopConnection connection, Consumer<Connection> ready, Consumer<IOException> failed) {
        this.connection = connection;
        this.ready = ready;
        this.failed = failed;
        this.timer = connection.loop().timers().schedule(connection.loop().nowNanos() + PATIENCE_NANOS, this::timedOut);
    }

    /** Nothing is under way any more. */
    void goOn() {
        if (end()) {
            connection.passToUser(ready, failed);
        }
    }

    void fail(IOException cause) {
        if (end()) {
            connection.abort();
            failed.accept(cause);
        }
    }

    private void timedOut() {
        fail(new SocketTimeoutException("the peer did not take what was written to it"));
    }

    private boolean end() {
        boolean first = !over;
        over = true;
        connection.loop().timers().cancel(timer);
        return first;
    }
}
