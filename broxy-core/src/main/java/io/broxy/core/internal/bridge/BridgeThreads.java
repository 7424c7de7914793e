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
 * The threads that are at work for a connection that blocks. The connection is gone when it has been closed and the last of
 * them has left.
 *
 * <p>Threading: thread-safe.
 */
final class BridgeThreads {
    private final ExecutorService streams;
    private final ExecutorService closers;
    private final Runnable oneLeft;
    private final Consumer<List<Runnable>> allLeft;

    /** The threads, and one more until the connection is closed. */
    private final AtomicInteger holds = new AtomicInteger(1);

    private final Object lock = new Object();
    /** Guarded by the lock; null once all have left. */
    private @Nullable List<Runnable> whenGone = new ArrayList<>(1);

    /**
     * Creates the count of a connection's threads.
     *
     * @param oneLeft run by a thread that leaves and is not the last
     * @param allLeft given what was to be run then, by whoever leaves last
     */
    BridgeThreads(Workers workers, Runnable oneLeft, Consumer<List<Runnable>> allLeft) {
        this.streams = workers.streams();
        this.closers = workers.closers();
        this.oneLeft = oneLeft;
        this.allLeft = allLeft;
    }

    /** What {@link #run} takes for work that may block. */
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
            throw new IOException("there is no thread for a connection that blocks", e);
        }
    }

    /** Ends what the others are at; that itself may block. */
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

    /** The connection itself is closed: to be told once. */
    void closed() {
        leave();
    }

    private void leave() {
        if (holds.decrementAndGet() > 0) {
            oneLeft.run();
            return;
        }
        List<Runnable> tasks;
        synchronized (lock) {
            tasks = whenGone == null ? List.of() : whenGone;
            whenGone = null;
        }
        allLeft.accept(tasks);
    }

    /** Adds to what is run when the connection is gone; at once if it is. */
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
