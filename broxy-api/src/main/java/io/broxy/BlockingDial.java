package io.broxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A blocking dial that runs on an executor for a future.
 *
 * <p>Threading: thread-safe; the lock guards {@code runner} and {@code over}, so that an interrupt never reaches the
 * executor's thread once the dial has left it.
 */
final class BlockingDial implements Runnable {
    private final Dialer dialer;
    private final DialRequest request;
    private final CompletableFuture<Connection> future = new CompletableFuture<>();
    private final Object lock = new Object();
    private @Nullable Thread runner;
    private boolean over;

    private BlockingDial(Dialer dialer, DialRequest request) {
        this.dialer = dialer;
        this.request = request;
    }

    static CompletableFuture<Connection> start(Dialer dialer, DialRequest request, Executor executor) {
        BlockingDial dial = new BlockingDial(dialer, request);
        dial.future.whenComplete((connection, failure) -> dial.end());
        try {
            executor.execute(dial);
        } catch (RejectedExecutionException e) {
            dial.future.completeExceptionally(
                    new DialException(DialException.Reason.LOCAL, request.target(), Duration.ZERO, List.of(), e));
        }
        return dial.future;
    }

    @Override
    public void run() {
        synchronized (lock) {
            if (over) {
                return;
            }
            runner = Thread.currentThread();
        }
        Connection connection = null;
        Throwable failure = null;
        try {
            connection = dialer.dial(request);
        } catch (Throwable e) {
            failure = e;
        }
        synchronized (lock) {
            runner = null;
            if (over) {
                Thread.interrupted(); // the interrupt that ended this dial is not the executor's
            }
        }
        if (connection == null) {
            future.completeExceptionally(
                    failure != null ? failure : new NullPointerException("the dialer returned no connection"));
        } else if (!future.complete(connection)) {
            close(connection);
        }
    }

    private void end() {
        synchronized (lock) {
            over = true;
            if (runner != null) {
                runner.interrupt();
            }
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
