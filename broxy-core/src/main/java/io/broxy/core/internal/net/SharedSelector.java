package io.broxy.core.internal.net;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that waits for readiness on behalf of many parked threads. It belongs to no engine, since connections can outlive
 * their engine: it runs while any thread waits, and a little longer. Each direction has a separate selector, so that a channel
 * has at most one key in each.
 *
 * <p>Threading: thread-safe; the lock guards the running thread and the number of its waits.
 */
final class SharedSelector {
    static final SharedSelector READABLE = new SharedSelector(SelectionKey.OP_READ, "broxy-readable");
    static final SharedSelector WRITABLE = new SharedSelector(SelectionKey.OP_WRITE, "broxy-writable");

    private static final Logger log = LoggerFactory.getLogger(SharedSelector.class);

    /** How long the idle thread lingers for the next wait. */
    private static final long LINGER_MILLIS = TimeUnit.SECONDS.toMillis(1);

    private final int op;
    private final String threadName;
    private final Object lock = new Object();
    private @Nullable Running running;

    private SharedSelector(int op, String threadName) {
        this.op = op;
        this.threadName = threadName;
    }

    /** Starts waiting for a channel; the calling thread is unparked when it is ready. */
    Wait begin(SocketChannel channel) throws IOException {
        Running current;
        synchronized (lock) {
            current = running == null ? start() : running;
            current.waits++;
        }
        Wait wait = new Wait(current, channel);
        current.queue.add(wait);
        if (current.failed) {
            wait.finish();
        } else {
            current.selector.wakeup();
        }
        return wait;
    }

    private Running start() throws IOException {
        Running started = new Running(Selector.open());
        Thread thread = new Thread(started, threadName);
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError e) { // "unable to create native thread"
            started.selector.close();
            throw new IOException("no thread is available to wait for a connection", e);
        }
        running = started;
        return started;
    }

    /** The wait of one thread for one channel. Threading: for the waiting thread and the selecting one. */
    static final class Wait {
        private final Running by;
        private final SocketChannel channel;
        private final Thread waiter = Thread.currentThread();
        private volatile boolean over;
        private volatile boolean ended;

        private Wait(Running by, SocketChannel channel) {
            this.by = by;
            this.channel = channel;
        }

        /** Whether the channel is ready or must be checked for another reason. */
        boolean isOver() {
            return over;
        }

        private void finish() {
            over = true;
            LockSupport.unpark(waiter);
        }

        /** Ends the wait, whether or not the channel is ready; called once. */
        void end() {
            ended = true;
            by.left();
            if (!over) {
                by.queue.add(this);
                by.selector.wakeup();
            }
        }
    }

    /** The thread's task. Threading: only the thread accesses the selector's keys. */
    private final class Running implements Runnable {
        private final Selector selector;
        private final ConcurrentLinkedQueue<Wait> queue = new ConcurrentLinkedQueue<>();
        private int waits; // under the lock
        /** The thread has ended and no longer reads the queue. */
        private volatile boolean failed;

        Running(Selector selector) {
            this.selector = selector;
        }

        private void left() {
            synchronized (lock) {
                waits--;
            }
        }

        @Override
        public void run() {
            try {
                do {
                    for (Wait wait; (wait = queue.poll()) != null; ) {
                        if (wait.ended) {
                            giveUp(wait);
                        } else {
                            register(wait);
                        }
                    }
                } while (selector.select(this::ready, LINGER_MILLIS) > 0 || !queue.isEmpty() || !isIdle());
            } catch (IOException | RuntimeException | Error e) {
                log.warn("waiting for readiness failed; the waiting threads try again", e);
            } finally {
                end();
            }
        }

        private void register(Wait wait) throws IOException {
            SelectionKey before = wait.channel.keyFor(selector);
            if (before != null && !before.isValid()) {
                selector.selectNow(this::ready); // deregisters the key of the previous wait
            }
            try {
                wait.channel.register(selector, op, wait);
            } catch (ClosedChannelException | RuntimeException e) {
                wait.finish();
            }
        }

        private void giveUp(Wait wait) {
            SelectionKey key = wait.channel.keyFor(selector);
            if (key != null && key.attachment() == wait) {
                key.cancel();
            }
        }

        private void ready(SelectionKey key) {
            key.cancel();
            ((Wait) key.attachment()).finish();
        }

        /** Whether no thread waits; if so, no thread can start waiting here any more. */
        private boolean isIdle() {
            synchronized (lock) {
                if (waits > 0) {
                    return false;
                }
                if (running == this) {
                    running = null;
                }
                return true;
            }
        }

        private void end() {
            failed = true;
            synchronized (lock) {
                if (running == this) {
                    running = null;
                }
            }
            for (Wait wait; (wait = queue.poll()) != null; ) {
                wait.finish();
            }
            for (SelectionKey key : selector.keys()) {
                ((Wait) key.attachment()).finish();
            }
            try {
                selector.close();
            } catch (IOException e) {
                log.debug("closing a selector failed", e);
            }
        }
    }
}
