package io.broxy.core.internal.loop;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The threads that run an engine's tasks. It tells whether the calling thread is one of them, which must not wait for the
 * engine's end, since that waits for the thread. It also tracks which of its daemon threads are alive: an executor counts as
 * terminated slightly before its threads have ended.
 *
 * <p>Threading: thread-safe; the lock guards {@code living} and {@code purgeAt}.
 */
final class EngineThreads {
    private static final int FIRST_PURGE_AT = 16;

    private final Object lock = new Object();
    private final Set<Thread> living = new HashSet<>();
    private int purgeAt = FIRST_PURGE_AT;

    private final ThreadLocal<@Nullable Boolean> engineThread = new ThreadLocal<>();

    /** Whether the calling thread runs a task of this engine. */
    boolean isCurrent() {
        return engineThread.get() != null;
    }

    /** Runs a task on the calling thread, which counts as a thread of the engine meanwhile. */
    void run(Runnable task) {
        Boolean before = engineThread.get();
        engineThread.set(Boolean.TRUE);
        try {
            task.run();
        } finally {
            if (before == null) {
                engineThread.remove();
            }
        }
    }

    /** Wraps a factory so that its threads count as threads of the engine. */
    ThreadFactory known(ThreadFactory threads) {
        return task -> threads.newThread(() -> run(task));
    }

    /** Creates daemon threads with numbered names that count as threads of the engine. */
    ThreadFactory factory(String prefix) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Runnable counted = () -> {
                enter(Thread.currentThread());
                run(task);
            };
            Thread thread = new Thread(null, counted, prefix + number.incrementAndGet(), 0, false);
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Called by the thread itself, so that a thread that failed to start is not awaited. */
    private void enter(Thread thread) {
        synchronized (lock) {
            if (living.size() >= purgeAt) {
                living.removeIf(other -> !other.isAlive());
                purgeAt = Math.max(FIRST_PURGE_AT, 2 * living.size());
            }
            living.add(thread);
        }
    }

    /** Waits until all threads have ended; false if the time is exceeded. */
    boolean awaitEnd(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + nanos;
        List<Thread> all;
        synchronized (lock) {
            all = List.copyOf(living);
        }
        for (Thread thread : all) {
            TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(0, deadline - System.nanoTime()));
            if (thread.isAlive()) {
                return false;
            }
        }
        return true;
    }

    /** The number of tracked threads. */
    int size() {
        synchronized (lock) {
            return living.size();
        }
    }
}
