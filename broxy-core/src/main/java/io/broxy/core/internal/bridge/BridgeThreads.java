package io.broxy.core.internal.bridge;

import io.broxy.core.internal.loop.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The threads that serve a blocking connection. The connection is gone when it has been closed and the last thread has left.
 *
 * <p>Threading: thread-safe.
 */
final class BridgeThreads {
    private final ExecutorService streams;
    private final ExecutorService closers;
    private final Runnable signal;
    private final Consumer<List<Runnable>> allLeft;

    /** The number of threads, plus one until the connection is closed. */
    private final AtomicInteger holds = new AtomicInteger(1);

    private final Object lock = new Object();
    /** Guarded by the lock; null once all have left. */
    private @Nullable List<Runnable> whenGone = new ArrayList<>(1);

    /**
     * Creates the count of a connection's threads.
     *
     * @param signal makes the loop check the connection's state; run by each thread that leaves, except the last
     * @param allLeft receives the tasks that wait until all threads have left, on the last of them
     */
    BridgeThreads(Workers workers, Runnable signal, Consumer<List<Runnable>> allLeft) {
        this.streams = workers.streams();
        this.closers = workers.closers();
        this.signal = signal;
        this.allLeft = allLeft;
    }

    /** Wraps blocking work for {@link #run}. */
    Runnable counted(Runnable blocking) {
        return () -> {
            try {
                blocking.run();
            } finally {
                leave();
            }
        };
    }

    /** Runs {@linkplain #counted counted} work on a thread of the stream executor. */
    void run(Runnable counted) throws IOException {
        holds.incrementAndGet();
        try {
            streams.execute(counted);
        } catch (RejectedExecutionException | OutOfMemoryError e) { // "unable to create native thread"
            holds.decrementAndGet();
            throw new IOException("no thread is available for a blocking connection", e);
        }
    }

    /** Runs work that aborts the other threads' reads and writes and may itself block. */
    void abort(Runnable blocking) {
        holds.incrementAndGet();
        Runnable counted = counted(blocking);
        try {
            closers.execute(counted);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            counted.run(); // the engine is closing, and nothing waits for this loop any more
        }
    }

    boolean areAtWork() {
        return holds.get() > 1;
    }

    /** Makes the loop check the connection's state, for example for room for bytes. */
    void signal() {
        signal.run();
    }

    static IOException asIoException(Throwable failure) {
        return failure instanceof IOException ioException
                ? ioException
                : new IOException("the connection failed", failure);
    }

    /** Called when a thread leaves, and when the connection is closed. */
    void leave() {
        if (holds.decrementAndGet() > 0) {
            signal.run();
            return;
        }
        List<Runnable> tasks;
        synchronized (lock) {
            tasks = whenGone == null ? List.of() : whenGone;
            whenGone = null;
        }
        allLeft.accept(tasks);
    }

    /** Runs a task when the connection is gone; immediately if it already is. */
    void whenGone(Runnable task) {
        synchronized (lock) {
            if (whenGone != null) {
                whenGone.add(task);
                return;
            }
        }
        task.run();
    }
}
