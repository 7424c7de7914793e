package io.broxy.core.soak;

import io.broxy.core.testkit.Background;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** The threads of clients that send while they read. Threading: thread-safe. */
final class Beside implements AutoCloseable {
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "soak-beside");
        thread.setDaemon(true);
        return thread;
    });

    Future<?> run(Background.Action action) {
        return threads.submit(() -> {
            action.run();
            return true;
        });
    }

    /** Waits for the end, and fails as it has failed. */
    static void join(Future<?> running) throws Exception {
        try {
            running.get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw new IOException("sending failed", failure);
            }
            throw e;
        }
    }

    @Override
    public void close() throws InterruptedException {
        threads.shutdownNow();
        if (!threads.awaitTermination(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
            throw new AssertionError("a client is still sending");
        }
    }
}
