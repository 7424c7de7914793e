package io.broxy.core.internal.loop;

import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.util.ArrayDeque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Channels whose keys are cancelled. The next select deregisters them, and only then are they closed or handed over: closing a
 * registered channel would cost two more system calls and would keep the descriptor until that select anyway.
 *
 * <p>Threading: owned by its event loop.
 */
final class PendingCloses {
    private static final Logger log = LoggerFactory.getLogger(PendingCloses.class);

    private final ArrayDeque<SelectableChannel> channels = new ArrayDeque<>();
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private int selectedChannels;
    private int selectedTasks;

    boolean isEmpty() {
        return channels.isEmpty() && tasks.isEmpty();
    }

    void close(SelectionKey key) {
        key.cancel();
        channels.add(key.channel());
    }

    void release(SelectionKey key, Runnable task) {
        key.cancel();
        tasks.add(task);
    }

    void afterClosing(Runnable task) {
        if (channels.isEmpty()) {
            task.run();
        } else {
            tasks.add(task);
        }
    }

    /** Called before a select, which deregisters the channels that are pending now, but not those that its handlers add. */
    void beforeSelect() {
        selectedChannels = channels.size();
        selectedTasks = tasks.size();
    }

    /** Closes the deregistered channels and runs the tasks that waited for it. */
    void afterSelect() {
        for (; selectedChannels > 0; selectedChannels--) {
            closeNow(channels.remove());
        }
        for (; selectedTasks > 0; selectedTasks--) {
            LoopTasks.runSafely(tasks.remove());
        }
    }

    static void closeNow(SelectableChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("closing a connection failed", e);
        }
    }
}
