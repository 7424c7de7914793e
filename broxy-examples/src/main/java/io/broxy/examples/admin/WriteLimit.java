package io.broxy.examples.admin;

import java.io.IOException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Bounds how long a thread writes to a client that does not read: it is interrupted then, and an interrupt closes the
 * channel that a thread is blocked on. The JDK's server has a limit of its own, but for whole responses, and a stream of events
 * is one response.
 *
 * <p>Threading: thread-safe.
 */
final class WriteLimit implements AutoCloseable {
    private final ScheduledExecutorService timer;
    private final long millis;

    /** Writes to a client. */
    @FunctionalInterface
    interface Writing {
        void run() throws IOException;
    }

    /** One writing. Threading: thread-safe. */
    private static final class Guard {
        private final Thread writer = Thread.currentThread();
        private boolean over;

        synchronized void interrupt() {
            if (!over) {
                writer.interrupt();
            }
        }

        /** Afterwards no interrupt comes. */
        synchronized void end() {
            over = true;
        }
    }

    WriteLimit(long millis) {
        this.millis = millis;
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, AdminThreads.named("write-limit"));
        executor.setRemoveOnCancelPolicy(true);
        this.timer = executor;
    }

    /**
     * Writes, within the limit.
     *
     * @throws IOException if the client cannot be written to, or not in time; its connection is closed then
     */
    void within(Writing writing) throws IOException {
        Guard guard = new Guard();
        Future<?> alarm = timer.schedule(guard::interrupt, millis, TimeUnit.MILLISECONDS);
        boolean late;
        try {
            writing.run();
        } finally {
            guard.end();
            alarm.cancel(false);
            late = Thread.interrupted(); // clears it for what the thread does next
        }
        if (late) {
            throw new IOException("written too late");
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
