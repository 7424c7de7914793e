package io.broxy.core.internal.net;

import io.broxy.core.internal.loop.VirtualThreads;
import io.broxy.core.internal.time.Ticker;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets a thread wait until one direction of a non-blocking channel is ready. A platform thread selects, with a selector for
 * this wait only. Virtual threads, which would pin their carriers or need two descriptors each, park while one shared thread
 * selects for all of them.
 *
 * <p>Threading: {@link #await} is for the thread that holds the lock, {@link #wake} for any.
 */
final class ReadinessWait {
    private static final long NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final SocketChannel channel;
    private final int op;
    private final SharedSelector shared;
    private final ReentrantLock lock = new ReentrantLock();

    /** During a wait either this or {@link #parked} is set; {@link #wake} wakes it. */
    private volatile @Nullable Selector selecting;

    private volatile @Nullable Thread parked;

    /** The time limit of a read across all its waits. Threading: immutable. */
    static final class Limit {
        static final Limit NONE = new Limit(0);

        private final long endNanos;

        private Limit(long endNanos) {
            this.endNanos = endNanos;
        }

        /** A limit that starts now; 0 means none. */
        static Limit of(long nanos) {
            return nanos == 0 ? NONE : new Limit(Ticker.SYSTEM.nanos() + nanos);
        }

        /** The remaining time: at least 1, or 0 for no limit. */
        long leftNanos() throws SocketTimeoutException {
            if (this == NONE) {
                return 0;
            }
            long left = endNanos - Ticker.SYSTEM.nanos();
            if (left <= 0) {
                throw new SocketTimeoutException("Read timed out");
            }
            return left;
        }
    }

    ReadinessWait(SocketChannel channel, int op, SharedSelector shared) {
        this.channel = channel;
        this.op = op;
        this.shared = shared;
    }

    void lock() {
        lock.lock();
    }

    void unlock() {
        lock.unlock();
    }

    /**
     * Waits until the channel is ready or may be ready.
     *
     * @param interruptible whether an interrupt ends the wait; if not, the thread has its interrupt status back afterwards
     * @return false if it was interrupted
     * @throws AsynchronousCloseException if the channel is closed
     * @throws SocketTimeoutException if the limit is exceeded
     */
    boolean await(Limit limit, boolean interruptible) throws IOException {
        Selector selector = VirtualThreads.isVirtual(Thread.currentThread()) ? null : openSelector();
        boolean interrupted = false;
        try {
            SharedSelector.Wait ofAll = selector == null ? shared.begin(channel) : null;
            try {
                while (true) {
                    if (!channel.isOpen()) {
                        throw new AsynchronousCloseException();
                    }
                    if (!interruptible) {
                        interrupted |= Thread.interrupted(); // otherwise the waits below would return immediately
                    } else if (Thread.currentThread().isInterrupted()) {
                        return false;
                    }
                    long nanos = limit.leftNanos();
                    if (ofAll == null ? select(selector, nanos) : park(ofAll, nanos)) {
                        return true;
                    }
                }
            } finally {
                parked = null;
                if (ofAll != null) {
                    ofAll.end();
                }
            }
        } finally {
            selecting = null;
            if (selector != null) {
                selector.close();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Null if the process has run out of descriptors: the thread then waits like virtual threads. */
    private @Nullable Selector openSelector() throws IOException {
        Selector opened;
        try {
            opened = channel.provider().openSelector();
        } catch (IOException e) {
            return null;
        }
        try {
            channel.register(opened, op);
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
        selecting = opened;
        return opened;
    }

    private static boolean select(@Nullable Selector selector, long nanos) throws IOException {
        return selector == null || selector.select((nanos + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI) > 0;
    }

    private boolean park(SharedSelector.Wait wait, long nanos) throws IOException {
        parked = Thread.currentThread();
        if (wait.isOver()) {
            return true;
        }
        if (!channel.isOpen()) {
            throw new AsynchronousCloseException();
        }
        if (nanos == 0) {
            LockSupport.park(this);
        } else {
            LockSupport.parkNanos(this, nanos);
        }
        return wait.isOver();
    }

    /** Makes a waiting thread check again whether the channel is open. */
    void wake() {
        Selector selector = selecting;
        if (selector != null) {
            selector.wakeup();
        }
        Thread waiting = parked;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }
}
