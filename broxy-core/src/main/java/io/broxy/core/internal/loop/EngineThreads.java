package io.broxy.core.internal.loop;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The threads that run an engine's tasks. It knows whether the calling thread is one, so that none of them waits for the
 * engine's end, which waits for them; and which of the daemon threads that it has made are alive, for an executor counts as
 * terminated when its threads have left it, and they still live for a moment then.
 *
 * <p>Threading: thread-safe; the lock guards {@code living} and {@code purgeAt}.
 */
final class EngineThreads {
    private static final int FIRST_PURGE_AT = 16;

    private final Object lock = new Object();
    private final Set<Thread> living = new HashSet<>();
    private int purgeAt = FIRST_PURGE_AT;

    private final ThreadLocal<@Nullable Boolean> own = new ThreadLocal<>();

    /** Whether the calling thread runs a task of this engine. */
    boolean isCurrent() {
        return own.get() != null;
    }

    /** Runs a task on the calling thread, which counts as the engine's meanwhile. */
    void run(Runnable task) {
        Boolean before = own.get();
        own.set(Boolean.TRUE);
        try {
            task.run();
        } finally {
            if (before == null) {
                own.remove();
            }
        }
    }

    /** Makes threads that count as the engine's. */
    ThreadFactory known(ThreadFactory threads) {
        return task -> threads.newThread(() -> run(task));
    }

    /** Makes daemon threads with numbered names that count as the engine's. */
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

    /** Called by the thread itself, so that one that could not be started is not waited for. */
    private void enter(Thread thread) {
        synchronized (lock) {
            if (living.size() >= purgeAt) {
                living.removeIf(other -> !other.isAlive());
                purgeAt = Math.max(FIRST_PURGE_AT, 2 * living.size());
            }
            living.add(thread);
        }
    }

    /** Waits until all have ended; false if the time is over before. */
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

    /** How many threads are known. */
    int size() {
        synchronized (lock) {
            return living.size();
        }
    }
}
