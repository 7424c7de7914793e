package io.broxy.core.internal.tls;

import io.broxy.core.internal.time.TimerQueue;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Releases a TLS connection from a loop to a user, or to another loop, once no work is pending: otherwise held ciphertext would be sent only with
 * the user's next write, which the user may not make before receiving an answer to that ciphertext.
 *
 * <p>Threading: owned by the event loop.
 */
final class TlsRelease {
    /** How long the release may wait for the peer to accept ciphertext. */
    private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final TlsLoopConnection connection;
    private final Runnable pass;
    private final Consumer<IOException> failed;
    private final TimerQueue.Timer timer;
    private boolean over;

    /**
     * Begins the release.
     *
     * @param pass passes the connection on; no work is pending then
     */
    TlsRelease(TlsLoopConnection connection, Runnable pass, Consumer<IOException> failed) {
        this.connection = connection;
        this.pass = pass;
        this.failed = failed;
        this.timer = connection.loop().timers().schedule(connection.loop().nowNanos() + TIMEOUT_NANOS, this::timedOut);
    }

    /** Completes the release, since no work is pending any more. */
    void complete() {
        if (end()) {
            pass.run();
        }
    }

    void fail(IOException cause) {
        if (end()) {
            connection.abort();
            failed.accept(cause);
        }
    }

    private void timedOut() {
        fail(new SocketTimeoutException("the peer did not accept the written bytes in time"));
    }

    private boolean end() {
        boolean first = !over;
        over = true;
        connection.loop().timers().cancel(timer);
        return first;
    }
}
