package io.broxy.core.internal.loop;

import java.io.IOException;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * NIO channels on a loop that waits on sockets of its own kind: a thread selects for the loop, and has it take what is ready. That
 * is slower than a loop that selects by itself, and made for the few channels that users bring to such a loop.
 *
 * <pre>
 *   thread:  select ──> has the loop take what is ready ──> waits for that ──> selects again
 * </pre>
 *
 * <p>Threading: owned by its loop, except for what the thread runs.
 */
final class CompanionSelector {
    private static final Logger log = LoggerFactory.getLogger(CompanionSelector.class);

    private final EventLoop loop;
    private final SelectorPoller selector;
    private final Thread thread;
    private final Semaphore taken = new Semaphore(0);
    private volatile boolean closed;

    /** Starts the thread. */
    CompanionSelector(EventLoop loop) throws IOException {
        this.loop = loop;
        this.selector = new SelectorPoller(true);
        thread = new Thread(null, this::run, Thread.currentThread().getName() + "-channels", 0, false);
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (Throwable e) {
            selector.close();
            throw e;
        }
    }

    /** The channels. */
    SelectorPoller selector() {
        return selector;
    }

    private void run() {
        try {
            while (!closed) {
                selector.await();
                if (closed || !loop.tryExecute(this::take)) {
                    return;
                }
                taken.acquireUninterruptibly();
            }
        } catch (IOException e) {
            log.error("selecting failed, so the channels that users have brought are ready no more", e);
        }
    }

    private void take() {
        try {
            if (!closed) {
                selector.poll(loop, 0);
                if (selector.hasPendingCloses()) {
                    selector.wakeup(); // the poll may have cleared the wakeup of a close that it has caused
                }
            }
        } catch (IOException e) {
            log.error("selecting failed", e);
        } finally {
            taken.release();
        }
    }

    /** Ends the thread, since from now on the loop selects by itself. */
    void halt() {
        closed = true;
        taken.release();
        selector.wakeup();
        boolean interrupted = Thread.interrupted();
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes every channel that is left. */
    void close() throws IOException {
        halt();
        selector.close();
    }
}
