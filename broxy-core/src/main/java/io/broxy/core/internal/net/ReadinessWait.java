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
 * The wait of a thread until one direction of a non-blocking channel is ready. A platform thread selects by itself, with a
 * selector for this wait only; virtual threads, which would pin their carriers or take two descriptors each, park and leave
 * the selecting to one thread for all.
 *
 * <p>Threading: {@link #await} is for the thread that holds the lock, {@link #wake} for any.
 */
final class ReadinessWait {
    private static final long NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final SocketChannel channel;
    private final int op;
    private final SharedSelector shared;
    private final ReentrantLock lock = new ReentrantLock();

    /** {@link #wake} wakes either this or {@link #parked}; one of them is set while there is a wait. */
    private volatile @Nullable Selector selecting;

    private volatile @Nullable Thread parked;

    /** The time limit of a read, over all its waits. Threading: immutable. */
    static final class Limit {
        static final Limit NONE = new Limit(0);

        private final long endNanos;

        private Limit(long endNanos) {
            this.endNanos = endNanos;
        }

        /** A limit that begins now; 0 means none. */
        static Limit of(long nanos) {
            return nanos == 0 ? NONE : new Limit(Ticker.SYSTEM.nanos() + nanos);
        }

        /** The time that is left: at least 1, or 0 for no limit. */
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
     * Waits until the channel is ready, or may be.
     *
     * @param interruptible whether an interrupt ends the wait; if not, the thread has its interrupt status back afterwards
     * @return false if it was interrupted
     * @throws AsynchronousCloseException if the channel is closed
     * @throws SocketTimeoutException if the time is over
     */
    boolean await(Limit limit, boolean interruptible) throws IOException {
        Selector own = VirtualThreads.isVirtual(Thread.currentThread()) ? null : openSelector();
        boolean interrupted = false;
        try {
            SharedSelector.Wait ofAll = own == null ? shared.begin(channel) : null;
            try {
                while (true) {
                    if (!channel.isOpen()) {
                        throw new AsynchronousCloseException();
                    }
                    if (!interruptible) {
                        interrupted |= Thread.interrupted(); // or else the waits below would return at once
                    } else if (Thread.currentThread().isInterrupted()) {
                        return false;
                    }
                    long nanos = limit.leftNanos();
                    if (ofAll == null ? select(own, nanos) : park(ofAll, nanos)) {
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
            if (own != null) {
                own.close();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Null if the process has no descriptors left: then the thread waits as virtual ones do. */
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

    private static boolean select(@Nullable Selector own, long nanos) throws IOException {
        return own == null || own.select((nanos + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI) > 0;
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

    /** Lets a wait look again whether the channel is open. */
    void wake() {
        Selector own = selecting;
        if (own != null) {
            own.wakeup();
        }
        Thread waiting = parked;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }
}
