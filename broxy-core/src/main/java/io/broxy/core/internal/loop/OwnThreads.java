package io.broxy.core.internal.loop;

import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * Knows which threads run an engine's tasks, so that none of them waits for the engine's end, which waits for them.
 *
 * <p>Threading: thread-safe.
 */
final class OwnThreads {
    private final ThreadLocal<@Nullable Boolean> own = new ThreadLocal<>();

    /** Whether the calling thread runs a task of this engine. */
    boolean isCurrent() {
        return own.get() != null;
    }

    /** Makes threads that count as the engine's. */
    ThreadFactory known(ThreadFactory threads) {
        return task -> threads.newThread(() -> run(task));
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
}
