package io.broxy.core.internal.loop;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks that wait for a loop.
 *
 * <p>Threading: thread-safe, except for {@link #runAll}, which belongs to the loop's own thread.
 */
final class LoopTasks {
    private static final Logger log = LoggerFactory.getLogger(EventLoop.class);

    /** Marks the end of a turn's tasks; compared by identity. */
    @SuppressWarnings("UnnecessaryLambda")
    private static final Runnable LAST = () -> {};

    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    void add(Runnable task) {
        waiting.add(task);
    }

    /** Takes a task back; false if it has been run. */
    boolean remove(Runnable task) {
        return waiting.remove(task);
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Runs only the tasks that are queued now, so that tasks which submit others do not starve the channels. */
    void runAll() {
        if (waiting.isEmpty()) {
            return;
        }
        waiting.add(LAST);
        for (Runnable task; (task = waiting.poll()) != null && task != LAST; ) {
            runSafely(task);
        }
    }

    /** Runs a task, and logs its failure. */
    static void runSafely(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            report("a task of the event loop failed", e);
        }
    }

    /** Logs a failure, whatever becomes of the message. */
    static void report(String what, Throwable failure) {
        try {
            log.error(what, failure);
        } catch (Throwable e) {
            // The logger itself may fail, for example when memory is exhausted: the loop continues without a message.
        }
    }
}
