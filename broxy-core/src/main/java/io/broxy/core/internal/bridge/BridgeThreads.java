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
 * The threads that work for a connection that blocks. The connection is gone when it has been closed and the last of them has
 * left.
 *
 * <p>Threading: thread-safe.
 */
final class BridgeThreads {
    private final ExecutorService streams;
    private final ExecutorService closers;
    private final Runnable signal;
    private final Consumer<List<Runnable>> allLeft;

    /** The threads, and one more until the connection is closed. */
    private final AtomicInteger holds = new AtomicInteger(1);

    private final Object lock = new Object();
    /** Guarded by the lock; null once all have left. */
    private @Nullable List<Runnable> whenGone = new ArrayList<>(1);

    /**
     * Creates the count of a connection's threads.
     *
     * @param signal makes the loop look again; run by each thread that leaves, but for the last
     * @param allLeft takes the tasks that wait for that, on the thread that leaves last
     */
    BridgeThreads(Workers workers, Runnable signal, Consumer<List<Runnable>> allLeft) {
        this.streams = workers.streams();
        this.closers = workers.closers();
        this.signal = signal;
        this.allLeft = allLeft;
    }

    /** Turns work that may block into work for {@link #run}. */
    Runnable counted(Runnable blocking) {
        return () -> {
            try {
                blocking.run();
            } finally {
                leave();
            }
        };
    }

    /** Runs {@linkplain #counted counted} work on a thread for streams. */
    void run(Runnable counted) throws IOException {
        holds.incrementAndGet();
        try {
            streams.execute(counted);
        } catch (RejectedExecutionException | OutOfMemoryError e) { // "unable to create native thread"
            holds.decrementAndGet();
            throw new IOException("there is no thread for a blocking connection", e);
        }
    }

    /** Runs work that ends the other threads' reads and writes, and that may itself block. */
    void abort(Runnable blocking) {
        holds.incrementAndGet();
        Runnable counted = counted(blocking);
        try {
            closers.execute(counted);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            counted.run(); // the engine ends, and nothing waits for this loop any more
        }
    }

    boolean areAtWork() {
        return holds.get() > 1;
    }

    /** Makes the loop look again, such as at room for bytes. */
    void signal() {
        signal.run();
    }

    static IOException asIoException(Throwable failure) {
        return failure instanceof IOException own ? own : new IOException("the connection failed", failure);
    }

    /** A thread has left, or the connection is closed. */
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

    /** Runs a task when the connection is gone; at once if it is. */
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
